// SPDX-License-Identifier: MIT OR Apache-2.0
auto trait Auto {}

fn f(x: !) {}

extern "rust-intrinsic" fn g() {}

trait T {
    type A = u8;
    const fn h();
}

fn main() {
    let x = do yeet 1;
    let y = gen { yield 1 };
    let c = #[coroutine]
    || {
        yield 2
    };
    std::intrinsics::abort();
}
