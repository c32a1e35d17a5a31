// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc traits.rs
// run: ./traits
use std::any::Any;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::ops::{Add, Index, Mul};

trait Nat: Debug + Default {
    const N: usize;
    type Next: Nat2;
}
trait Nat2 {
    const N2: usize;
}
#[derive(Debug, Default)]
struct Z;
#[derive(Debug, Default)]
struct S<T>(PhantomData<T>);
impl Nat for Z {
    const N: usize = 0;
    type Next = S<Z>;
}
impl<T: Nat> Nat for S<T> {
    const N: usize = T::N + 1;
    type Next = S<S<T>>;
}
impl<T: Nat> Nat2 for T {
    const N2: usize = T::N * 2;
}

trait Shape: Any {
    fn area(&self) -> f64;
    fn name(&self) -> String {
        "shape".into()
    }
}
struct Sq(f64);
struct Rect {
    w: f64,
    h: f64,
}
impl Shape for Sq {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
    fn name(&self) -> String {
        "square".into()
    }
}
impl Shape for Rect {
    fn area(&self) -> f64 {
        self.w * self.h
    }
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct V<const N: usize>([f64; N]);
impl<const N: usize> Add for V<N> {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        V(std::array::from_fn(|i| self.0[i] + o.0[i]))
    }
}
impl<const N: usize> Mul<f64> for V<N> {
    type Output = Self;
    fn mul(self, k: f64) -> Self {
        V(self.0.map(|x| x * k))
    }
}
impl<const N: usize> Index<usize> for V<N> {
    type Output = f64;
    fn index(&self, i: usize) -> &f64 {
        &self.0[i]
    }
}

trait Lend {
    type Item<'a>
    where
        Self: 'a;
    fn lend<'a>(&'a mut self) -> Option<Self::Item<'a>>;
}
struct Windows<'s>(&'s mut [u8], usize);
impl<'s> Lend for Windows<'s> {
    type Item<'a>
        = &'a mut [u8]
    where
        Self: 'a;
    fn lend<'a>(&'a mut self) -> Option<&'a mut [u8]> {
        self.1 += 1;
        self.0.get_mut(self.1 - 1..self.1 + 1)
    }
}

fn apply<F>(f: F) -> usize
where
    F: for<'a> Fn(&'a str) -> &'a str,
{
    f("abc").len()
}

fn main() {
    println!("{} {}", <S<S<S<Z>>> as Nat>::N, <<S<Z> as Nat>::Next as Nat2>::N2);
    let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Sq(2.0)), Box::new(Rect { w: 1.5, h: 2.0 })];
    for s in &shapes {
        println!("{} {}", s.name(), s.area());
    }
    let v = (V([1.0, 2.0]) + V([0.5, 0.5])) * 2.0;
    println!("{:?} {}", v, v[1]);
    let mut b = [1, 2, 3];
    let mut w = Windows(&mut b, 0);
    while let Some(x) = w.lend() {
        x[1] += x[0];
    }
    println!("{:?} {}", b, apply(|s| &s[1..]));
}
