//! Words for readers, in every language we print: a missing translation does not compile.

use serde::{Deserialize, Serialize, Serializer};

/// A language that reports are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Every language, in the order in which editions are listed.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// The tag used in HTML and in file names.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }
}

impl std::str::FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "en" | "en-us" | "en-gb" => Ok(Self::En),
            "zh" | "zh-cn" | "zh-hans" => Ok(Self::Zh),
            _ => Err(format!("language {text:?} is not one of: en, zh")),
        }
    }
}

/// A fixed phrase in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

impl Phrase {
    /// The phrase in one language.
    pub const fn get(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }

    /// The phrase with `{name}` replaced by each value given. A name that is left over is a fault of ours,
    /// so debug builds refuse it.
    pub fn fill(&self, lang: Lang, values: &[(&str, &str)]) -> String {
        let mut text = self.get(lang).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

/// A phrase with its values, printed in either language; JSON carries the English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    phrase: Phrase,
    /// In English and in Chinese.
    values: Vec<(&'static str, [String; 2])>,
}

impl Words {
    /// A phrase without values.
    pub const fn plain(phrase: Phrase) -> Self {
        Self { phrase, values: Vec::new() }
    }

    /// A phrase with the values of its `{name}`s.
    pub fn with(phrase: Phrase, values: &[(&'static str, &dyn ToString)]) -> Self {
        let both = |value: &dyn ToString| [value.to_string(), value.to_string()];
        Self { phrase, values: values.iter().map(|(name, value)| (*name, both(*value))).collect() }
    }

    /// The same with one more value, which is a phrase itself.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: Phrase) -> Self {
        self.values.push((name, [value.en.to_owned(), value.zh.to_owned()]));
        self
    }

    /// The text in one language.
    pub fn get(&self, lang: Lang) -> String {
        let values: Vec<(&str, &str)> = self
            .values
            .iter()
            .map(|(name, [en, zh])| (*name, if lang == Lang::En { en } else { zh }.as_str()))
            .collect();
        self.phrase.fill(lang, &values)
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.get(Lang::En))
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_filled_in_either_language() {
        let phrase = Phrase { en: "{n} lines of {who}", zh: "{who}的 {n} 条线路" };
        assert_eq!(phrase.fill(Lang::En, &[("n", "3"), ("who", "A")]), "3 lines of A");
        assert_eq!(phrase.fill(Lang::Zh, &[("n", "3"), ("who", "A")]), "A的 3 条线路");
    }

    #[test]
    fn locale_names_are_read() {
        assert_eq!("zh_CN".parse(), Ok(Lang::Zh));
        assert_eq!("en".parse(), Ok(Lang::En));
        assert!("fr".parse::<Lang>().is_err());
    }
}
