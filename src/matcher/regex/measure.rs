//! How deep, how large, how often repeated is an expression, by Go's count?
//!
//! Go measures the tree that its parser builds. We build no tree, only these
//! sums. Left out is the factoring of common prefixes in alternations, which
//! moves the sums a little and matters only within a hair of the limits.

/// Levels of Go's syntax tree (`maxHeight` in `regexp/syntax`).
pub(super) const HEIGHT_LIMIT: usize = 1000;

/// Levels that the Rust crate has to follow by recursion: Go's without the
/// capturing groups. In a debug build 170 levels fill a thread's stack of 2 MiB.
/// Of all the code at Google one expression went deeper than 100, says Go's
/// source; it is refused here as too deep.
pub(super) const DEPTH_LIMIT: usize = 100;

/// Instructions of Go's compiled program: 128 MiB of 40 bytes each (`maxSize`).
pub(super) const SIZE_LIMIT: usize = (128 << 20) / 40;

/// The most that repetitions around one another may multiply to (`maxRepeat`).
pub(super) const REPEAT_LIMIT: usize = 1000;

/// What decides whether Go merges a node with its neighbours or its parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// A string of that many characters; `fold` is `(?i)`.
    Literal {
        length: usize,
        fold: bool,
    },
    /// A class, or a dot.
    Class,
    /// Merges into the sequence around it.
    Sequence,
    /// Merges into the alternation around it.
    Alternation,
    Other,
}

/// The sums for one node of Go's tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Measure {
    shape: Shape,
    pub(super) height: usize,
    /// The height without capturing groups.
    pub(super) depth: usize,
    pub(super) size: usize,
    /// The largest product of counted repetitions along a path.
    pub(super) copies: usize,
}

impl Measure {
    const fn leaf(shape: Shape) -> Self {
        Self {
            shape,
            height: 1,
            depth: 1,
            size: 1,
            copies: 1,
        }
    }

    /// One character.
    pub(super) const fn literal(fold: bool) -> Self {
        Self::leaf(Shape::Literal { length: 1, fold })
    }

    /// A class, or a dot.
    pub(super) const fn class() -> Self {
        Self::leaf(Shape::Class)
    }

    /// An anchor, a word boundary.
    pub(super) const fn assertion() -> Self {
        Self::leaf(Shape::Other)
    }

    /// Inside a capturing group.
    pub(super) const fn captured(self) -> Self {
        Self {
            shape: Shape::Other,
            height: self.height + 1,
            depth: self.depth,
            size: self.size.saturating_add(2),
            copies: self.copies,
        }
    }

    /// Repeated by `*`, `+` or `?`.
    pub(super) fn repeated_by_operator(self, operator: char) -> Self {
        Self {
            shape: Shape::Other,
            height: self.height + 1,
            depth: self.depth + 1,
            size: self
                .size
                .saturating_add(if operator == '*' { 2 } else { 1 }),
            copies: self.copies,
        }
    }

    /// Repeated by `{minimum,maximum}`; no maximum is "or more".
    pub(super) fn repeated_by_count(self, minimum: usize, maximum: Option<usize>) -> Self {
        let size = match maximum {
            None if minimum == 0 => self.size.saturating_add(2),
            None => self.size.saturating_mul(minimum).saturating_add(1),
            Some(maximum) => self
                .size
                .saturating_mul(maximum)
                .saturating_add(maximum - minimum),
        };
        let copies = match maximum.unwrap_or(minimum) {
            // `{0}` cuts its operand off; `{0,}` is a star.
            0 if maximum.is_some() => 1,
            count => self.copies.saturating_mul(count.max(1)),
        };
        Self {
            shape: Shape::Other,
            height: self.height + 1,
            depth: self.depth + 1,
            size: size.max(1),
            copies,
        }
    }

    const fn is_character(self) -> bool {
        matches!(self.shape, Shape::Class | Shape::Literal { length: 1, .. })
    }

    /// One string out of two neighbouring ones, when Go makes one of them.
    fn joined(self, next: Self) -> Option<Self> {
        match (self.shape, next.shape) {
            (
                Shape::Literal { length, fold },
                Shape::Literal {
                    length: more,
                    fold: same,
                },
            ) if fold == same => {
                let length = length + more;
                Some(Self {
                    shape: Shape::Literal { length, fold },
                    size: length,
                    ..self
                })
            }
            _ => None,
        }
    }
}

/// What stands one after the other between two of `(`, `|` and `)`.
#[derive(Default, Debug)]
pub(super) struct Sequence(Vec<Measure>);

impl Sequence {
    /// Adds one at the end. The last one stays apart, because a repetition may
    /// follow and binds only to it; those before it may join.
    pub(super) fn push(&mut self, item: Measure) {
        self.join();
        self.0.push(item);
    }

    /// The last one, which a repetition binds to.
    pub(super) fn pop(&mut self) -> Option<Measure> {
        self.0.pop()
    }

    /// Puts back what [`pop`](Self::pop) took, repeated.
    pub(super) fn put_back(&mut self, repeated: Measure) {
        self.0.push(repeated);
    }

    /// The sum over the whole sequence.
    pub(super) fn close(mut self) -> Measure {
        self.join();
        match *self.0 {
            [] => Measure::leaf(Shape::Other),
            [only] => only,
            ref items => sum(items, Shape::Sequence, 0),
        }
    }

    fn join(&mut self) {
        if let [.., first, second] = *self.0
            && let Some(joined) = first.joined(second)
        {
            self.0.pop();
            self.0.pop();
            self.0.push(joined);
        }
    }
}

/// The branches between `(` and `)`.
#[derive(Default, Debug)]
pub(super) struct Alternation(Vec<Measure>);

impl Alternation {
    /// Adds a branch. Neighbouring single characters become one class.
    pub(super) fn push(&mut self, branch: Measure) {
        match self.0.last_mut() {
            Some(last) if last.is_character() && branch.is_character() => *last = Measure::class(),
            _ => self.0.push(branch),
        }
    }

    /// The sum over all branches.
    pub(super) fn close(self) -> Measure {
        match *self.0 {
            [only] => only,
            ref branches => sum(
                branches,
                Shape::Alternation,
                branches.len().saturating_sub(1),
            ),
        }
    }
}

fn sum(items: &[Measure], shape: Shape, glue: usize) -> Measure {
    // Go merges a sequence in a sequence, so that it adds no level of its own.
    let merged = |item: &Measure| usize::from(item.shape == shape);
    let highest = items.iter().map(|item| item.height - merged(item)).max();
    let deepest = items.iter().map(|item| item.depth - merged(item)).max();
    Measure {
        shape,
        height: 1 + highest.unwrap_or(0),
        depth: 1 + deepest.unwrap_or(0),
        size: items
            .iter()
            .fold(glue, |size, item| size.saturating_add(item.size)),
        copies: items.iter().map(|item| item.copies).max().unwrap_or(1),
    }
}
