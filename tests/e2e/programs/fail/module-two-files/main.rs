// SPDX-License-Identifier: MIT OR Apache-2.0
// Both twin.rs and twin/mod.rs are there.
// run: rustc main.rs
mod twin;

fn main() {
    twin::run();
}
