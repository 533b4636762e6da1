//! What did they mean? The known words nearest to an unknown one.

/// At most this many suggestions; more is noise.
const MOST: usize = 3;

/// The words of `known` within about a third of `word`'s length in edits,
/// nearest first. Case does not count: `europe/berlin` suggests `Europe/Berlin`.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    // A word as long as a sentence is no misspelling, and would cost its square.
    if word.len() > 64 {
        return Vec::new();
    }
    let limit = (word.chars().count() / 3).max(1);
    let mut ranked: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|&(edits, _)| edits <= limit)
        .collect();
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(MOST)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// Edits (insert, delete, replace, swap of neighbours) between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let width = right.len() + 1;
    let mut table = vec![0; (left.len() + 1) * width];
    for row in 0..=left.len() {
        for column in 0..width {
            let at = |rows: usize, columns: usize| table[(row - rows) * width + column - columns];
            table[row * width + column] = if row == 0 || column == 0 {
                row + column
            } else {
                let replaced = at(1, 1) + usize::from(left[row - 1] != right[column - 1]);
                let swapped = row > 1
                    && column > 1
                    && left[row - 1] == right[column - 2]
                    && left[row - 2] == right[column - 1];
                let best = replaced.min(at(1, 0) + 1).min(at(0, 1) + 1);
                if swapped {
                    best.min(at(2, 2) + 1)
                } else {
                    best
                }
            };
        }
    }
    table.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swaps_and_typing_errors_are_near_and_other_words_are_not() {
        let known = ["matchers", "comment", "schedule"];
        assert_eq!(nearest("matcher", known), ["matchers"]);
        assert_eq!(nearest("shcedule", known), ["schedule"]);
        assert_eq!(nearest("zebra", known), Vec::<&str>::new());
    }
}
