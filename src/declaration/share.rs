//! Who reads which file? Two threads, each of which takes the next one.
//!
//! What comes of a file depends on that file and on what was known before, never
//! on who reads it or when, so the result is the same as one thread's.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads that read at the same time. Each holds the tree of one file, at most
/// 50 MiB of it. Two are what a small container has, and with them reading takes
/// less time than anything that follows.
const THREADS: usize = 2;

/// Bytes that are worth a second thread. To start one takes 0.1 ms, and to read
/// as much as this takes 2 ms.
const WORTH_A_THREAD: usize = 64 * 1024;

/// What `work` makes of each item, in the order of the items, given its index.
/// There are `bytes` to be read in all.
pub(super) fn shared<T: Send, R: Send>(
    items: &mut [T],
    bytes: usize,
    work: impl Fn(usize, &mut T) -> R + Sync,
) -> Vec<R> {
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let queue = Mutex::new(items.iter_mut().zip(&mut results).enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let read = || {
        while let Some((index, (item, result))) = next() {
            *result = Some(work(index, item));
        }
    };
    thread::scope(|scope| {
        let others = if bytes < WORTH_A_THREAD {
            0
        } else {
            THREADS - 1
        };
        for _ in 0..others {
            // Where no thread can be had, this one does all the work.
            let _ = thread::Builder::new().spawn_scoped(scope, read);
        }
        read();
    });
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_whoever_makes_them() {
        for bytes in [0, usize::MAX] {
            let mut items: Vec<usize> = (0..1_000).collect();
            let results = shared(&mut items, bytes, |index, item| {
                *item += 1;
                (index, *item)
            });
            let expected: Vec<_> = (0..1_000).map(|index| (index, index + 1)).collect();
            assert_eq!(results, expected);
        }
    }
}
