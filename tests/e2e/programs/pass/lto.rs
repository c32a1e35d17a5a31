// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -C lto=thin lto.rs
// run: ./lto
// run: rustc -C opt-level=1 -C lto=off -C embed-bitcode=no -C save-temps -o plain lto.rs
fn main() {
    let v: Vec<u32> = std::env::args().map(|a| a.len() as u32).chain(1..4).skip(1).collect();
    println!("{}", v.iter().sum::<u32>());
}
