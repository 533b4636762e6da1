//! Which random numbers? A generator whose seed is printed, so that a failure
//! can be repeated.

/// The environment variable `SEED` sets the seed.
pub(crate) fn seeded() -> fastrand::Rng {
    let seed = std::env::var("SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    fastrand::Rng::with_seed(seed)
}
