// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2021
// run: rustc --edition 2021 async.rs
// run: ./async
use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake};

struct Noop;
impl Wake for Noop {
    fn wake(self: Arc<Self>) {}
}

struct Yield(bool);
impl Future for Yield {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

async fn leaf(n: u32) -> Result<u32, String> {
    Yield(false).await;
    if n > 100 { Err(format!("{n} is too much")) } else { Ok(n + 1) }
}

async fn middle(v: &mut Vec<u32>) -> Result<u32, String> {
    let mut sum = 0;
    for i in 0..5 {
        let x = leaf(i * 10).await?;
        v.push(x);
        sum += x;
    }
    Ok(sum)
}

fn boxed(n: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
    Box::pin(async move { if n == 0 { 0 } else { boxed(n - 1).await + leaf(n).await.unwrap() } })
}

fn run<F: Future>(f: F) -> F::Output {
    let waker = Arc::new(Noop).into();
    let mut cx = Context::from_waker(&waker);
    let mut f = pin!(f);
    loop {
        if let Poll::Ready(x) = f.as_mut().poll(&mut cx) {
            return x;
        }
    }
}

fn main() {
    let mut v = Vec::new();
    println!("{:?}", run(middle(&mut v)));
    println!("{:?} {}", v, run(boxed(10)));
    println!("{:?}", run(async { (leaf(1).await, leaf(101).await) }));
}
