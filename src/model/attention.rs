//! Multi-head attention over batches that carry no padding, and the memories that decoding keeps.
//!
//! Rows of all segments of a batch lie one after the other in one matrix, so that every linear layer works on real
//! tokens alone. Attention is where the segments are told apart: by windows on the fast path, by a padded view and
//! a mask in plain candle.

use candle_core::{DType, Device, Result, Tensor};

use super::layers::Execution;
use crate::decode::Row;
use crate::kernels::{self, DistanceBias, PathAttention, Queries, Scoring, SpanAttention, SpanMemory, Strided};

/// The heads of an attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heads {
    /// Their number.
    count: usize,
    /// Factor of the products of queries and keys.
    scale: f32,
}

impl Heads {
    /// That divide products by the root of a head's width (Vaswani et al. 2017, section 3.2.1), `width` being that of all.
    pub fn scaled(count: usize, width: usize) -> Self {
        Self { count, scale: ((width / count.max(1)) as f32).sqrt().recip() }
    }

    /// That leave products as they are.
    pub fn unscaled(count: usize) -> Self {
        Self { count, scale: 1.0 }
    }

    fn scoring<'a>(&self, bias: Option<&'a PositionBias>) -> Scoring<'a> {
        let bias = match bias {
            Some(PositionBias::Kernel { values, origin }) => {
                Some(DistanceBias { values, stride: values.len() / self.count.max(1), origin: *origin })
            }
            Some(PositionBias::Candle(_)) | None => None,
        };
        Scoring { scale: self.scale, bias }
    }
}

/// What positions add to the scores of queries and keys.
pub enum PositionBias {
    /// For each head a row of addends, one for each distance from a query to a key, distance 0 at `origin`.
    Kernel { values: Vec<f32>, origin: usize },
    /// `[heads, queries, keys]`
    Candle(Tensor),
}

impl PositionBias {
    fn tensor(&self) -> Option<&Tensor> {
        match self {
            Self::Kernel { .. } => None,
            Self::Candle(tensor) => Some(tensor),
        }
    }
}

/// Where the segments of a batch lie among its rows.
pub struct Packing {
    /// Where each segment begins; its end is the next one's begin. One more than there are segments.
    starts: Vec<usize>,
    padded: Option<Padded>,
}

/// How packed rows are spread out to `[segments, longest]` and back.
struct Padded {
    longest: usize,
    /// For every padded place the packed row to put there: for padding, the segment's first.
    spread: Tensor,
    /// For every packed row its padded place.
    gather: Tensor,
    /// 0 where a token is, minus infinity where padding is, `[segments, 1, 1, longest]`.
    mask: Tensor,
}

impl Packing {
    /// For segments of these lengths.
    pub fn new(lengths: &[usize], execution: Execution, device: &Device, dtype: DType) -> Result<Self> {
        let mut starts = vec![0];
        starts.extend(lengths.iter().scan(0, |sum, length| {
            *sum += length;
            Some(*sum)
        }));
        let padded = match execution {
            Execution::Kernels(_) => None,
            Execution::Candle => Some(Padded::new(&starts, device, dtype)?),
        };
        Ok(Self { starts, padded })
    }

    /// The rows of a segment.
    fn span(&self, segment: usize) -> std::ops::Range<usize> {
        let at = |place: usize| self.starts.get(place).copied().unwrap_or_default();
        at(segment)..at(segment + 1)
    }

    fn spans(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        (0..self.starts.len() - 1).map(|segment| self.span(segment))
    }
}

impl Padded {
    fn new(starts: &[usize], device: &Device, dtype: DType) -> Result<Self> {
        let spans: Vec<_> = starts.windows(2).map(|pair| pair[0]..pair[1]).collect();
        let longest = spans.iter().map(|span| span.len()).max().unwrap_or(0);
        let mut spread = Vec::new();
        let mut gather = Vec::new();
        let mut mask = Vec::new();
        for (segment, span) in spans.iter().enumerate() {
            for at in 0..longest {
                let real = at < span.len();
                spread.push((span.start + if real { at } else { 0 }) as u32);
                mask.push(if real { 0.0 } else { f32::NEG_INFINITY });
            }
            gather.extend((0..span.len()).map(|at| (segment * longest + at) as u32));
        }
        let mask = Tensor::from_vec(mask, (spans.len(), 1, 1, longest), device)?.to_dtype(dtype)?;
        Ok(Self { longest, spread: Tensor::new(spread, device)?, gather: Tensor::new(gather, device)?, mask })
    }

    /// Packed `[rows, width]` to `[segments, heads, longest, width / heads]`.
    fn split_heads(&self, rows: &Tensor, heads: usize) -> Result<Tensor> {
        let width = rows.dim(1)?;
        rows.index_select(&self.spread, 0)?
            .reshape(((), self.longest, heads, width / heads))?
            .transpose(1, 2)?
            .contiguous()
    }
}

/// Encoder self-attention: from queries, keys and values side by side, `[rows, 3 width]`, to `[rows, width]`. A `bias` is
/// for all positions of the longest segment.
pub fn self_attention(qkv: &Tensor, packing: &Packing, heads: Heads, bias: Option<&PositionBias>) -> Result<Tensor> {
    let (rows, triple) = qkv.dims2()?;
    let width = triple / 3;
    let Some(padded) = &packing.padded else {
        let groups: Vec<_> = packing.spans().enumerate().map(|(segment, rows)| Queries { rows, segment }).collect();
        let out = kernels::with_values(qkv, |values| {
            let part = |place: usize| Strided { values, stride: triple, offset: place * width };
            let spans = packing.spans().collect();
            let memory = SpanMemory::new(part(1), part(2), spans, heads.count, width / heads.count);
            Ok(SpanAttention { queries: part(0), memory: &memory, scoring: heads.scoring(bias) }.run(&groups))
        })?;
        return kernels::to_rows(out, rows);
    };
    let part = |place: usize| padded.split_heads(&qkv.narrow(1, place * width, width)?.contiguous()?, heads.count);
    let bias = bias.and_then(PositionBias::tensor);
    let out = attend(&part(0)?, &part(1)?, &part(2)?, heads.scale, [bias, Some(&padded.mask)])?;
    out.transpose(1, 2)?.reshape(((), width))?.index_select(&padded.gather, 0)
}

/// Softmax of scores, in plain candle: `[batch, heads, rows, depth]` from queries, keys and values of that form, and
/// what is to be added to the scores.
fn attend(q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, addends: [Option<&Tensor>; 2]) -> Result<Tensor> {
    let scaled = if scale == 1.0 { q.clone() } else { (q * f64::from(scale))? };
    let mut scores = scaled.matmul(&k.t()?)?;
    for addend in addends.into_iter().flatten() {
        scores = scores.broadcast_add(addend)?;
    }
    candle_nn::ops::softmax_last_dim(&scores)?.matmul(v)
}

/// The keys and values that one decoder layer takes from the encoded sources, computed once.
pub enum CrossMemory {
    /// As the kernels lay it out.
    Kernel(SpanMemory),
    /// Padded keys and values, `[segments, heads, longest, depth]`, and their choice for the rows of the last step.
    Candle { keys: Tensor, values: Tensor, chosen: Option<Chosen> },
}

/// Keys, values and masks of the segments that the rows of a step belong to.
pub struct Chosen {
    segments: Vec<u32>,
    keys: Tensor,
    values: Tensor,
    mask: Tensor,
}

impl CrossMemory {
    /// From keys and values side by side, `[source tokens, 2 width]`.
    pub fn new(kv: &Tensor, packing: &Packing, heads: Heads) -> Result<Self> {
        let width = kv.dim(1)? / 2;
        let Some(padded) = &packing.padded else {
            return kernels::with_values(kv, |kv| {
                let part = |place: usize| Strided { values: kv, stride: 2 * width, offset: place * width };
                let spans = packing.spans().collect();
                Ok(Self::Kernel(SpanMemory::new(part(0), part(1), spans, heads.count, width / heads.count)))
            });
        };
        let part = |place: usize| padded.split_heads(&kv.narrow(1, place * width, width)?.contiguous()?, heads.count);
        Ok(Self::Candle { keys: part(0)?, values: part(1)?, chosen: None })
    }

    /// Cross-attention of a step: from queries `[rows, width]` to `[rows, width]`.
    pub fn attend(&mut self, queries: &Tensor, rows: &[Row], packing: &Packing, heads: Heads) -> Result<Tensor> {
        let width = queries.dim(1)?;
        match self {
            Self::Kernel(memory) => {
                let mut groups: Vec<Queries> = Vec::new();
                for (place, row) in rows.iter().enumerate() {
                    match groups.last_mut() {
                        Some(group) if group.segment == row.source as usize => group.rows.end += 1,
                        _ => groups.push(Queries { rows: place..place + 1, segment: row.source as usize }),
                    }
                }
                let out = kernels::with_values(queries, |queries| {
                    let queries = Strided { values: queries, stride: width, offset: 0 };
                    Ok(SpanAttention { queries, memory, scoring: heads.scoring(None) }.run(&groups))
                })?;
                kernels::to_rows(out, rows.len())
            }
            Self::Candle { keys, values, chosen } => {
                let segments: Vec<u32> = rows.iter().map(|row| row.source).collect();
                let current = match chosen.take() {
                    Some(chosen) if chosen.segments == segments => chosen,
                    _ => Chosen::new(segments, keys, values, packing)?,
                };
                let q = queries.reshape((rows.len(), heads.count, 1, width / heads.count))?;
                let out = attend(&q, &current.keys, &current.values, heads.scale, [Some(&current.mask), None])?;
                *chosen = Some(current);
                out.reshape((rows.len(), width))
            }
        }
    }
}

impl Chosen {
    fn new(segments: Vec<u32>, keys: &Tensor, values: &Tensor, packing: &Packing) -> Result<Self> {
        let Some(padded) = &packing.padded else { candle_core::bail!("no padded view of the sources was made") };
        let index = Tensor::new(segments.as_slice(), keys.device())?;
        Ok(Self {
            keys: keys.index_select(&index, 0)?,
            values: values.index_select(&index, 0)?,
            mask: padded.mask.index_select(&index, 0)?,
            segments,
        })
    }
}

/// Keys and values of the tokens decoded so far, for all layers.
pub enum SelfMemory {
    /// Slots that rows share as far as their histories are one.
    Kernel(Slots),
    /// Keys and values of each layer, `[rows, heads, length, depth]`.
    Candle(Vec<Option<(Tensor, Tensor)>>),
}

/// A slot for every token that some live row has behind it. A row is the list of its slots: when beams are
/// reordered lists are copied, keys and values never.
pub struct Slots {
    /// For each layer, keys beside values of all slots.
    layers: Vec<Vec<f32>>,
    paths: Vec<Vec<u32>>,
    count: u32,
}

impl Slots {
    /// Extends the rows' paths by one new slot each; slots that no row leads through any more are used again.
    fn extend(&mut self, rows: &[Row]) {
        let mut paths: Vec<Vec<u32>> =
            rows.iter().map(|row| self.paths.get(row.parent as usize).cloned().unwrap_or_default()).collect();
        let mut live = vec![false; self.count as usize];
        for slot in paths.iter().flatten() {
            if let Some(live) = live.get_mut(*slot as usize) {
                *live = true;
            }
        }
        let mut free = (0..self.count).zip(live).filter(|(_, live)| !live).map(|(slot, _)| slot);
        let mut fresh = 0;
        for path in &mut paths {
            path.push(free.next().unwrap_or_else(|| {
                fresh += 1;
                self.count + fresh - 1
            }));
        }
        self.count += fresh;
        self.paths = paths;
    }
}

impl SelfMemory {
    /// Empty, for a decoder of `layers` layers.
    pub fn new(layers: usize, execution: Execution) -> Self {
        match execution {
            Execution::Kernels(_) => {
                Self::Kernel(Slots { layers: vec![Vec::new(); layers], paths: Vec::new(), count: 0 })
            }
            Execution::Candle => Self::Candle(vec![None; layers]),
        }
    }

    /// Begins a step: the memories follow the rows to their parents.
    pub fn follow(&mut self, rows: &[Row], device: &Device) -> Result<()> {
        match self {
            Self::Kernel(slots) => slots.extend(rows),
            Self::Candle(layers) => {
                let parents: Vec<u32> = rows.iter().map(|row| row.parent).collect();
                let before = layers.first().and_then(Option::as_ref).map(|(keys, _)| keys.dim(0)).transpose()?;
                let unchanged = before == Some(rows.len()) && (0..).zip(&parents).all(|(row, parent)| row == *parent);
                if before.is_some() && !unchanged {
                    let parents = Tensor::new(parents, device)?;
                    for (keys, values) in layers.iter_mut().flatten() {
                        *keys = keys.index_select(&parents, 0)?;
                        *values = values.index_select(&parents, 0)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Self-attention of a step in one layer: takes queries, keys and values side by side, `[rows, 3 width]`, remembers
    /// the keys and values, and gives `[rows, width]`. A `bias` is for queries at the present position.
    pub fn attend(&mut self, layer: usize, qkv: &Tensor, heads: Heads, bias: Option<&PositionBias>) -> Result<Tensor> {
        let (rows, triple) = qkv.dims2()?;
        let width = triple / 3;
        match self {
            Self::Kernel(slots) => {
                let Some(memory) = slots.layers.get_mut(layer) else { candle_core::bail!("no layer {layer}") };
                let out = kernels::with_values(qkv, |values| {
                    memory.resize(slots.count as usize * 2 * width, 0.0);
                    for (row, path) in values.chunks_exact(triple).zip(&slots.paths) {
                        let start = path.last().map_or(0, |slot| *slot as usize * 2 * width);
                        if let (Some(slot), Some(kv)) = (memory.get_mut(start..start + 2 * width), row.get(width..)) {
                            slot.copy_from_slice(kv);
                        }
                    }
                    let part = |values, stride, place| Strided { values, stride, offset: place * width };
                    let attention = PathAttention {
                        queries: part(values, triple, 0),
                        keys: part(memory, 2 * width, 0),
                        values: part(memory, 2 * width, 1),
                        heads: heads.count,
                        depth: width / heads.count,
                        scoring: heads.scoring(bias),
                    };
                    Ok(attention.run(&slots.paths))
                })?;
                kernels::to_rows(out, rows)
            }
            Self::Candle(layers) => {
                let Some(past) = layers.get_mut(layer) else { candle_core::bail!("no layer {layer}") };
                let part = |place: usize| {
                    qkv.narrow(1, place * width, width)?.contiguous()?.reshape((
                        rows,
                        heads.count,
                        1,
                        width / heads.count,
                    ))
                };
                let (mut keys, mut values) = (part(1)?, part(2)?);
                if let Some((past_keys, past_values)) = past.take() {
                    keys = Tensor::cat(&[past_keys, keys], 2)?;
                    values = Tensor::cat(&[past_values, values], 2)?;
                }
                let bias = bias.and_then(PositionBias::tensor);
                let out = attend(&part(0)?, &keys, &values, heads.scale, [bias, None])?;
                *past = Some((keys, values));
                out.reshape((rows, width))
            }
        }
    }
}
