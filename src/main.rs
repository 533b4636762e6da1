//! The `silenced` program.

fn main() {}
