//! What a reader reads: prose and numbers, in every language at once.
//!
//! A sentence is a [`Phrase`] whose gaps are filled with [`Prose`], so that every sentence of a report exists in every
//! language, made from the same numbers. Nothing here decides anything: which sentence is said is a matter of `doc`.

pub mod date;
pub mod number;

use broadgauge_model::text::{Lang, Phrase};

/// A text in every language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prose {
    en: String,
    zh: String,
}

impl Prose {
    /// The same in every language: a name, a plain numeral.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh: text.clone(), en: text }
    }

    /// Made in each language by the same rule.
    pub fn of(make: impl Fn(Lang) -> String) -> Self {
        Self { en: make(Lang::En), zh: make(Lang::Zh) }
    }

    /// A phrase whose gaps are filled.
    pub fn say(phrase: &Phrase, gaps: &[(&str, Self)]) -> Self {
        Self::of(|lang| {
            let gaps: Vec<_> = gaps.iter().map(|(name, text)| (*name, text.get(lang))).collect();
            let text = phrase.fill(lang, &gaps);
            // A count word follows 万, 亿 and a closing bracket without a space: 123 万条.
            let tight = |text: String| {
                ["万", "亿", "）"].iter().fold(text, |t, mark| t.replace(&format!("{mark} "), mark))
            };
            if lang == Lang::Zh { tight(text) } else { text }
        })
    }

    /// The text in one language.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }

    /// Sentences one after the other: English puts a space between them.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        if self.is_empty() {
            return next;
        }
        if next.is_empty() {
            return self;
        }
        Self { en: format!("{} {}", self.en, next.en), zh: self.zh + &next.zh }
    }

    /// With a capital letter, where the language has any: the start of a sentence or a heading.
    #[must_use]
    pub fn capital(self) -> Self {
        let mut letters = self.en.chars();
        let en = letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().to_string() + letters.as_str());
        Self { en, zh: self.zh }
    }

    /// Items in a row: "a, b and c", "a、b和c".
    pub fn list(items: &[Self]) -> Self {
        let join = |lang, comma: &str, and: &str| match items {
            [] => String::new(),
            [one] => one.get(lang).to_owned(),
            [first @ .., last] => {
                let first: Vec<_> = first.iter().map(|item| item.get(lang)).collect();
                format!("{}{and}{}", first.join(comma), last.get(lang))
            }
        };
        Self { en: join(Lang::En, ", ", " and "), zh: join(Lang::Zh, "、", "和") }
    }

    /// Words in a row: "a, b, c", "a，b，c".
    pub fn commas(items: Vec<Self>) -> Self {
        const COMMA: Phrase = Phrase { en: "{a}, {b}", zh: "{a}，{b}" };
        items.into_iter().reduce(|a, b| Self::say(&COMMA, &[("a", a), ("b", b)])).unwrap_or_default()
    }

    /// Parts of a subtitle: "a; b; c".
    pub fn parts(items: &[Self]) -> Self {
        let join = |lang, mark: &str| {
            let texts: Vec<_> =
                items.iter().map(|item| item.get(lang)).filter(|text| !text.is_empty()).collect();
            texts.join(mark)
        };
        Self { en: join(Lang::En, "; "), zh: join(Lang::Zh, "；") }
    }
}

impl From<Phrase> for Prose {
    fn from(phrase: Phrase) -> Self {
        Self::of(|lang| phrase.get(lang).to_owned())
    }
}

impl From<&Phrase> for Prose {
    fn from(phrase: &Phrase) -> Self {
        (*phrase).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_filled_in_every_language_at_once() {
        const PHRASE: Phrase = Phrase { en: "{who} has {n} lines.", zh: "{who}有 {n} 条线路。" };
        let said = Prose::say(&PHRASE, &[("who", Prose::plain("A")), ("n", number::count(12_345))]);
        assert_eq!(said.get(Lang::En), "A has 12,345 lines.");
        assert_eq!(said.get(Lang::Zh), "A有 12,345 条线路。");
    }

    #[test]
    fn items_are_listed_as_each_language_does() {
        let items = ["a", "b", "c"].map(Prose::plain);
        assert_eq!(Prose::list(&items).get(Lang::En), "a, b and c");
        assert_eq!(Prose::list(&items).get(Lang::Zh), "a、b和c");
        assert_eq!(Prose::plain("a.").then(Prose::plain("b.")).get(Lang::Zh), "a.b.");
        assert_eq!(Prose::plain("a.").then(Prose::plain("b.")).get(Lang::En), "a. b.");
    }
}
