// SPDX-License-Identifier: MIT OR Apache-2.0
type A = B;
type B = Vec<A>;

type X = [Y; 2];
type Y = Option<X>;

fn f(_: A, _: X) {}

fn main() {}
