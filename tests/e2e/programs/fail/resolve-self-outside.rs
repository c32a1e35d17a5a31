// SPDX-License-Identifier: MIT OR Apache-2.0
fn f() -> Self {
    self.x
}

fn g() {
    super::super::super::nothing();
}

fn main() {}
