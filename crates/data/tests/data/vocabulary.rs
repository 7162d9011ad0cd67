use proptest::prelude::*;
use wengert_core::{AnyTensor, Stateful, Tensor, TensorMap};
use wengert_data::{Tokens, Vocabulary, class_labels};

use super::{config, refused};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn characters_are_decoded_as_they_were_encoded(text in "\\PC{1,40}", other in "\\PC{0,20}") {
        let letters = Vocabulary::characters(&text).unwrap();
        let mut expected: Vec<char> = text.chars().collect();
        expected.sort_unstable();
        expected.dedup();
        let tokens: Vec<String> = expected.iter().map(char::to_string).collect();
        prop_assert_eq!(letters.tokens(), tokens);
        let numbers = letters.encode(&text).unwrap();
        prop_assert_eq!(numbers.numel(), text.chars().count());
        prop_assert_eq!(letters.decode(&numbers).unwrap(), text);
        prop_assert_eq!(letters.encode(&other).is_ok(), other.chars().all(|c| expected.contains(&c)));
        let mut loaded = Vocabulary::default();
        let saved = letters.state_dict().to_bytes().unwrap();
        loaded.load_state_dict(&TensorMap::from_bytes(&saved).unwrap()).unwrap();
        prop_assert_eq!(loaded, letters);
    }

    #[test]
    fn the_most_frequent_words_are_kept(
        words in prop::collection::vec(0u8..8, 1..60),
        min_count in 1usize..5,
        max_size in 1usize..6,
    ) {
        let name = |word: u8| format!("w{word}");
        let text = words.iter().map(|&word| name(word)).collect::<Vec<_>>().join(" ");
        let count = |word: u8| words.iter().filter(|&&w| w == word).count();
        let builder = Vocabulary::builder(Tokens::Words).unknown("?").min_count(min_count).max_size(max_size);
        let vocabulary = builder.build(&text).unwrap();
        let kept: Vec<u8> = (0..8).filter(|&word| vocabulary.tokens().contains(&name(word))).collect();
        prop_assert_eq!(kept.len() + 1, vocabulary.len());
        prop_assert!(vocabulary.tokens()[1..].is_sorted());
        prop_assert!(kept.iter().all(|&word| count(word) >= min_count) && kept.len() <= max_size);
        let dropped = (0..8).filter(|word| !kept.contains(word) && count(*word) >= min_count);
        for word in dropped {
            prop_assert_eq!(kept.len(), max_size);
            prop_assert!(kept.iter().all(|&other| count(other) >= count(word)));
        }
        let numbers = vocabulary.encode(&text).unwrap().to_vec();
        let known = numbers.iter().zip(&words).all(|(&n, word)| (n == 0) != kept.contains(word));
        prop_assert!(known);
    }
}

#[test]
fn special_tokens_are_saved_as_well() {
    let builder = Vocabulary::builder(Tokens::Words).special("<pad>").unknown("<unk>");
    let words = builder.build("to be or not to be").unwrap();
    let mut loaded = Vocabulary::default();
    assert!(loaded.is_empty());
    loaded.load_state_dict(&words.state_dict()).unwrap();
    assert_eq!(loaded, words);
    assert_eq!(loaded.encode("not today").unwrap(), Tensor::from([3i64, 1]));
    assert_eq!(loaded.decode(&Tensor::from([5i64, 0])).unwrap(), "to <pad>");
}

#[test]
fn tokens_and_classes_out_of_range_are_refused() {
    let letters = Vocabulary::characters("abc").unwrap();
    assert_eq!(
        refused(letters.encode("abd")),
        "Vocabulary: every token must be one of the 3 known ones, got \"d\" at token 2"
    );
    for number in [-1i64, 3] {
        assert_eq!(
            refused(letters.decode(&Tensor::from([0, number]))),
            format!("Vocabulary: every number must be in 0..3, got {number}")
        );
    }
    assert_eq!(refused(Vocabulary::words(" \n")), "Vocabulary: expected at least 1 token, got 0");
    let twice = vec!["a".to_string(), "a".to_string()];
    assert_eq!(
        refused(Vocabulary::from_tokens(Tokens::Words, twice, None)),
        "Vocabulary: every token must be there once, got \"a\" twice"
    );
    let labels = Tensor::from([[0i64, 1], [1, 2], [-1, 0]]);
    assert_eq!(
        refused(class_labels(labels.clone(), 2)),
        "class_labels: every label must be in 0..2, got 2 for sample 1"
    );
    assert_eq!(
        refused(class_labels(labels, 3)),
        "class_labels: every label must be in 0..3, got -1 for sample 2"
    );
}

#[test]
fn a_damaged_vocabulary_is_refused_and_changes_nothing() {
    let mut letters = Vocabulary::characters("für").unwrap();
    let (before, saved) = (letters.clone(), letters.state_dict());
    let mut broken = |name: &str, tensor: AnyTensor| {
        let mut map = saved.clone();
        map.insert(name, tensor);
        refused(letters.load_state_dict(&map))
    };
    let expected = "Vocabulary: tokens must be texts of the lengths beside them, got ";
    assert_eq!(broken("lengths", Tensor::from([1i64, 1, 1]).into()), format!("{expected}a token of 1 bytes"));
    assert_eq!(broken("lengths", Tensor::from([1i64, 1]).into()), format!("{expected}2 bytes left over"));
    assert_eq!(broken("lengths", Tensor::from([-1i64]).into()), format!("{expected}a token of -1 bytes"));
    assert!(broken("tokens", AnyTensor::Bytes(vec![0xff])).starts_with(expected));
    assert_eq!(
        broken("unknown", Tensor::scalar(3i64).into()),
        "Vocabulary: the unknown token must be in 0..3, got 3"
    );
    assert_eq!(letters, before);
}
