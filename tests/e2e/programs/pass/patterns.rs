// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: --crate-type lib -O
pub enum Op {
    Add(i32, i32),
    Neg { x: i32 },
    Chain(Box<Op>, Box<Op>),
    Lit(&'static str),
    Bytes([u8; 4]),
}

pub fn rate(ops: &[Op], flag: Option<Result<u8, char>>) -> u32 {
    match (ops, flag) {
        ([], None) => 0,
        ([Op::Add(0, _) | Op::Add(_, 0), ..], Some(Ok(1..=9))) => 1,
        ([Op::Neg { x: x @ -5..=5 }, rest @ ..], _) if *x != 0 => rate(rest, flag) + 1,
        ([.., Op::Lit("one" | "two")], Some(Err('a'..='z'))) => 2,
        ([Op::Bytes([1, .., 4]), Op::Bytes([a, b, ..])], _) if a == b => 3,
        ([first, middle @ .., last], f) => match (first, last) {
            (Op::Chain(a, _), Op::Chain(_, b)) => rate(std::slice::from_ref(a), f) + rate(std::slice::from_ref(b), None),
            (Op::Add(i32::MIN..=-1, 1..), _) => rate(middle, f),
            _ => 4,
        },
        ([_], Some(Ok(0 | 10..=254 | 255))) => 5,
        _ => 6,
    }
}

macro_rules! table {
    ($name:ident: $($k:literal => $v:literal),*) => {
        pub fn $name(s: &str) -> Option<u32> {
            Some(match s { $($k => $v,)* _ => return None })
        }
    };
}

table!(months: "jan" => 1, "feb" => 2, "mar" => 3, "apr" => 4, "may" => 5, "jun" => 6, "jul" => 7, "aug" => 8);
