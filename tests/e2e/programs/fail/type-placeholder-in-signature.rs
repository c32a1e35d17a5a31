// SPDX-License-Identifier: MIT OR Apache-2.0
fn f(x: _) -> _ {
    x
}

static S: _ = vec![1].len();
const C: _ = unknown();

fn main() {}
