// SPDX-License-Identifier: MIT OR Apache-2.0
// Each is refused before, or just after, the compiler starts to work.
// run: rustc --no-such-flag flag-errors.rs
// run: rustc -C no-such-option flag-errors.rs
// run: rustc -C opt-level=9 flag-errors.rs
// run: rustc --crate-type nonsense flag-errors.rs
// run: rustc --emit nonsense flag-errors.rs
// run: rustc --target no-such-target flag-errors.rs
// run: rustc --crate-name 'bad name' flag-errors.rs
// run: rustc --extern =x flag-errors.rs
// run: rustc --print nonsense flag-errors.rs
// run: rustc -o /dev/full/x flag-errors.rs
// run: rustc flag-errors.rs second.rs
// run: rustc --explain E9999
// run: rustc @no_such_response_file
// status: 1 1 1 1 1 1 1 1 1 1 1 1 1
fn main() {}
