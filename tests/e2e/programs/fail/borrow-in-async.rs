// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2021
async fn f(v: &mut Vec<u8>) -> &u8 {
    let a = &mut *v;
    g(v).await;
    a.push(1);
    &v[0]
}

async fn g(_: &mut Vec<u8>) {}

fn spawn<F: 'static>(_: F) {}

fn main() {
    let mut v = vec![];
    spawn(f(&mut v));
}
