// SPDX-License-Identifier: MIT OR Apache-2.0
// A type which gets too large for the address space only when it is instantiated.
struct Grid<T>([[T; 1 << 31]; 1 << 31]);

fn huge<T>() -> usize {
    std::mem::size_of::<Option<Grid<T>>>()
}

fn local<T: Default>() -> bool {
    let g: Option<Grid<T>> = None;
    g.is_some()
}

fn main() {
    println!("{} {}", huge::<u64>(), local::<String>());
}
