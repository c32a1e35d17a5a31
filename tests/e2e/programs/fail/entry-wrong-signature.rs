// SPDX-License-Identifier: MIT OR Apache-2.0
async fn main() -> u8 {
    1
}

fn generic<T>() {}
