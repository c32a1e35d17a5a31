// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -C debuginfo=2 threads-and-panics.rs
// run: ./threads-and-panics
use std::sync::{mpsc, Arc, Mutex};
use std::thread;

fn main() {
    std::panic::set_hook(Box::new(|_| {}));
    let total = Arc::new(Mutex::new(0));
    let (tx, rx) = mpsc::channel();
    let handles: Vec<_> = (0..4)
        .map(|i| {
            let (t, tx) = (Arc::clone(&total), tx.clone());
            thread::spawn(move || {
                *t.lock().unwrap() += i;
                tx.send(i * i).unwrap();
                if i == 3 {
                    drop(t);
                    panic!("three");
                }
                i
            })
        })
        .collect();
    drop(tx);
    let mut squares: Vec<i32> = rx.iter().collect();
    squares.sort();
    let failed = handles.into_iter().filter_map(|h| h.join().err()).count();
    println!("{:?} {} {}", squares, total.lock().unwrap(), failed);
}
