// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2015
async fn f() {
    g().await;
}

fn h(x: &dyn Fn(u8)) {
    let async = 1;
    let x = b"a" as dyn;
}

fn main() {}
