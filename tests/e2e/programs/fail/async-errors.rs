// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2021
async fn f() -> u8 {
    1
}

fn g() {
    let x: u8 = f();
    f().await;
}

trait T {
    async fn m(&self);
}

fn h(t: &dyn T) {}

async fn k() -> Result<(), u8> {
    Err("x")?;
    let v: Vec<u8> = f().await.collect();
    for x in f() {}
}

fn main() {}
