// SPDX-License-Identifier: MIT OR Apache-2.0
use std::rc::Rc;

async fn inner() {}

async fn outer() {
    let r = Rc::new(1);
    inner().await;
    drop(r);
}

fn spawn<F: std::future::Future + Send>(_: F) {}

fn main() {
    spawn(outer());
}
