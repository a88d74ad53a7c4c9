//! What a path model says: which items belong to which construct, and which arrows run between constructs.

use crate::stats::refusal::{Answer, Refusal, at_least};

/// How a construct's weights are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The items reflect the construct: weights are correlations.
    A,
    /// The items form the construct: weights are regression coefficients.
    B,
}

/// How neighbours count in the search for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Those before by regression coefficients, those after by correlations.
    Path,
    /// By correlations.
    Factorial,
    /// By the signs of correlations.
    Centroid,
}

/// A construct: the columns of its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Column numbers, one or more.
    pub items: Vec<usize>,
    /// How its weights are found.
    pub mode: Mode,
}

/// Constructs and the arrows between them.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) blocks: Vec<Block>,
    pub(super) paths: Vec<(usize, usize)>,
}

impl Model {
    /// Blocks, and arrows as (from, to) between them. Refused where arrows run in a circle, name no block, come twice, or
    /// leave a block alone, and where two blocks share an item.
    pub fn new(blocks: Vec<Block>, paths: Vec<(usize, usize)>) -> Answer<Self> {
        at_least(blocks.len(), 2, "constructs")?;
        let mut seen = std::collections::BTreeSet::new();
        for block in &blocks {
            at_least(block.items.len(), 1, "items of a construct")?;
            if !block.items.iter().all(|item| seen.insert(*item)) {
                return Err(Refusal::Design { why: "an item belongs to two constructs; give it to one" });
            }
        }
        let mut arrows = std::collections::BTreeSet::new();
        for &(from, to) in &paths {
            if from >= blocks.len() || to >= blocks.len() || from == to || !arrows.insert((from, to)) {
                return Err(Refusal::Design { why: "an arrow names no construct, itself, or comes twice" });
            }
        }
        if !(0..blocks.len()).all(|k| paths.iter().any(|p| p.0 == k || p.1 == k)) {
            return Err(Refusal::Design { why: "a construct has no arrow; connect it or leave it out" });
        }
        let model = Self { blocks, paths };
        model.order()?;
        Ok(model)
    }

    /// The constructs.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The arrows, as (from, to).
    pub fn paths(&self) -> &[(usize, usize)] {
        &self.paths
    }

    pub(super) fn before(&self, k: usize) -> Vec<usize> {
        self.paths.iter().filter(|p| p.1 == k).map(|p| p.0).collect()
    }

    pub(super) fn after(&self, k: usize) -> Vec<usize> {
        self.paths.iter().filter(|p| p.0 == k).map(|p| p.1).collect()
    }

    /// The constructs so that every arrow points forward.
    pub(super) fn order(&self) -> Answer<Vec<usize>> {
        let mut order: Vec<usize> = Vec::new();
        while order.len() < self.blocks.len() {
            let ready = |k: &usize| !order.contains(k) && self.before(*k).iter().all(|j| order.contains(j));
            let next = (0..self.blocks.len()).find(ready);
            let circle = Refusal::Design { why: "the arrows run in a circle; a path model has a direction" };
            order.push(next.ok_or(circle)?);
        }
        Ok(order)
    }
}
