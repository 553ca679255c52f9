//! The index by AVX2, BMI and carry-less multiplication, where the processor has them: 32 bytes at once, and the places
//! of bits in half the steps.
//!
//! The only file with `unsafe` in it, for one call: a function that is compiled for these instructions may be called
//! from one that is not only where the processor has them, and that is asked just before. Nothing else in it is unsafe: it
//! reads through slices alone.
#![allow(unsafe_code, reason = "see above")]
use super::{Index, Marks, Masks, State};
use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
    _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8,
};

/// Indexes chunks without backslashes. False if the processor has not what it takes.
pub(super) fn chunks(index: &mut Index, state: &mut State, chunks: &[[u8; 64]], marks: Marks) -> bool {
    let is_there = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq");
    if is_there {
        // SAFETY: the processor has every feature that the function is compiled for.
        unsafe { with_features(index, state, chunks, marks) };
    }
    is_there
}

#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
fn with_features(index: &mut Index, state: &mut State, chunks: &[[u8; 64]], marks: Marks) {
    for chunk in chunks {
        let masks = masks(chunk, marks);
        index.chunk(state, masks, prefix_parity(masks.quotes));
    }
}

/// Bit n of the result: whether an odd number of the bits 0 to n are set, the product with all ones.
#[target_feature(enable = "pclmulqdq")]
#[inline]
fn prefix_parity(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

#[target_feature(enable = "avx2")]
#[inline]
fn masks(chunk: &[u8; 64], marks: Marks) -> Masks {
    let (words, _) = chunk.as_chunks::<8>();
    let &[w0, w1, w2, w3, w4, w5, w6, w7] = words else {
        return Masks { quotes: 0, commas: 0, lines: 0 };
    };
    let [w0, w1, w2, w3, w4, w5, w6, w7] = [w0, w1, w2, w3, w4, w5, w6, w7].map(i64::from_le_bytes);
    let halves = [_mm256_set_epi64x(w3, w2, w1, w0), _mm256_set_epi64x(w7, w6, w5, w4)];
    Masks {
        quotes: equal(halves, b'"'),
        commas: equal(halves, marks.delimiter),
        lines: equal(halves, marks.line),
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn equal(halves: [__m256i; 2], byte: u8) -> u64 {
    let [low, high] = halves;
    let wanted = _mm256_set1_epi8(byte as i8);
    let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted)) as u32;
    let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted)) as u32;
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_index_of_every_other_processor(text in prop::collection::vec("[a\",;\n\r]{64}", 0..6)) {
            let text = text.concat();
            let (words, _) = text.as_bytes().as_chunks::<64>();
            for marks in [Marks::default(), Marks { delimiter: b';', line: b'\r', ..Marks::default() }] {
                let (mut plain, mut fast) = (Index::default(), Index::default());
                plain.make_room(text.len());
                fast.make_room(text.len());
                let (mut plain_state, mut fast_state) = (State::default(), State::default());
                plain.chunks(&mut plain_state, words, marks);
                if chunks(&mut fast, &mut fast_state, words, marks) {
                    prop_assert_eq!(fast_state, plain_state);
                    prop_assert_eq!(&fast.lines, &plain.lines);
                    prop_assert_eq!(&fast.inner, &plain.inner);
                    prop_assert_eq!(&fast.quoted_lines, &plain.quoted_lines);
                    let found = plain_state.commas;
                    prop_assert_eq!(fast.commas.get(..found), plain.commas.get(..found));
                }
            }
        }
    }
}
