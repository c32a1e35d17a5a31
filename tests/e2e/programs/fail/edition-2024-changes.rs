// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2024
#[no_mangle]
pub extern "C" fn f() {}

extern "C" {
    fn g();
}

fn h() -> impl Iterator<Item = &'static u8> {
    let gen = 1;
    expr_2021!();
}

fn main() {
    std::env::set_var("A", "b");
}
