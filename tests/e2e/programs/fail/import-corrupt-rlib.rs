// SPDX-License-Identifier: MIT OR Apache-2.0
// run: printf 'not an archive' >libbroken.rlib
// run: rustc --extern broken=libbroken.rlib import-corrupt-rlib.rs
// status: 0 1
fn main() {
    broken::run();
}
