// SPDX-License-Identifier: MIT OR Apache-2.0
// edition: 2021
async fn a(n: u32) -> u32 {
    if n == 0 { 0 } else { b(n - 1).await + 1 }
}

async fn b(n: u32) -> u32 {
    a(n).await
}

fn main() {
    let _ = a(3);
}
