// SPDX-License-Identifier: MIT OR Apache-2.0
struct List {
    value: u8,
    next: Option<List>,
}

enum Tree {
    Node(Tree, Tree),
}

struct A(B);
struct B(C);
struct C([A; 2]);

fn main() {}
