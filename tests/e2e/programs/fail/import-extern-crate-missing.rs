// SPDX-License-Identifier: MIT OR Apache-2.0
extern crate no_such_crate_anywhere;

fn main() {
    no_such_crate_anywhere::run();
}
