// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -C debuginfo=2 generics.rs
// run: ./generics
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};

macro_rules! exercise {
    ($($t:ty => $e:expr),* $(,)?) => { $(
        {
            let v: Vec<$t> = $e;
            let set: BTreeSet<$t> = v.iter().cloned().collect();
            let heap: BinaryHeap<$t> = v.iter().cloned().collect();
            let deque: VecDeque<$t> = v.iter().cloned().rev().collect();
            let hash: HashSet<$t> = v.iter().cloned().collect();
            let map: BTreeMap<$t, Vec<usize>> = v.iter().cloned().enumerate().fold(BTreeMap::new(), |mut m, (i, k)| {
                m.entry(k).or_insert_with(Vec::new).push(i);
                m
            });
            let counts: HashMap<$t, usize> = v.iter().cloned().map(|k| (k, 1)).collect();
            let mut sorted = heap.into_sorted_vec();
            sorted.dedup();
            sorted.sort_by(|a, b| b.cmp(a));
            assert_eq!(set.len(), hash.len());
            assert_eq!(map.len(), counts.len());
            println!("{} {:?} {:?}", stringify!($t), sorted.first(), deque.front());
        }
    )* };
}

fn main() {
    exercise! {
        u8 => vec![3, 1, 2, 3],
        i32 => vec![-3, 1, 2, 3],
        u64 => vec![9, 8, 7],
        char => "hello".chars().collect(),
        String => "a few words".split(' ').map(String::from).collect(),
        (u8, char) => vec![(1, 'a'), (0, 'b')],
        Vec<u16> => vec![vec![2], vec![1, 2]],
        std::cmp::Reverse<i8> => vec![std::cmp::Reverse(3)],
        () => vec![(), ()],
    }
}
