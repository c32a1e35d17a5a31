// SPDX-License-Identifier: MIT OR Apache-2.0
// The hidden type of each function needs the check of the next one's body.
// run: { echo '#![recursion_limit = "2000"]'; for i in {1..80}; do echo "pub fn f$((i - 1))() -> impl Send + Fn(u8) -> u8 { let g = f$i(); send(&g); move |x| g(x) + 1 }"; done; echo 'pub fn f80() -> impl Send + Fn(u8) -> u8 { |x| x } fn send<T: Send>(_: &T) {}'; } >gen.rs
// run: rustc --crate-type lib gen.rs
