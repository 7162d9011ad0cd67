//! The names: those built in, or a folder of lists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use wengert::prelude::*;

/// Well-known surnames by language.
const BUILT_IN: [(&str, &str); 6] = [
    (
        "Czech",
        "Cermak Dvorak Fiala Havel Hlavacek Horak Janacek Kolar Kovar Kucera Marek Navratil Nemec Novak \
         Novotny Pokorny Prochazka Smetana Svoboda Vesely",
    ),
    (
        "English",
        "Ashworth Baker Bradley Churchill Clarke Cooper Dickens Fletcher Harding Hawkins Johnson Newton Shaw \
         Smith Taylor Thatcher Walker Whitfield Williams Wright",
    ),
    (
        "German",
        "Bauer Becker Fischer Hoffmann Kaufmann Koch Krause Lehmann Meyer Richter Schmidt Schneider \
         Schroeder Schulz Schwarz Vogel Wagner Weber Zimmermann Zweig",
    ),
    (
        "Italian",
        "Bellini Bianchi Colombo Conti Esposito Ferrari Galilei Gallo Giordano Lombardi Mancini Marconi \
         Moretti Puccini Ricci Romano Rossi Rossini Verdi Vivaldi",
    ),
    (
        "Japanese",
        "Fujita Hayashi Ishikawa Ito Kawasaki Kobayashi Kurosawa Matsumoto Miyazaki Mori Murakami Nakamura \
         Sato Suzuki Takahashi Tanaka Watanabe Yamada Yamamoto Yoshida",
    ),
    (
        "Russian",
        "Chekhov Fedorov Gagarin Ivanov Kuznetsov Lebedev Mikhailov Morozov Nabokov Orlov Pavlov Petrov \
         Popov Romanov Sidorov Smirnov Sokolov Turgenev Volkov Zhukov",
    ),
];

/// Names, each with the number of its language, once each.
pub struct Names {
    pub languages: Vec<String>,
    pub names: Vec<(String, i64)>,
}

impl Names {
    /// Names of the list built in.
    pub fn built_in() -> Self {
        Names::of(BUILT_IN.map(|(language, names)| (language.to_string(), names.replace(' ', "\n"))).to_vec())
    }

    /// Names of a folder with a file `Language.txt` for each language, a name a line.
    pub fn read(folder: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| Error::of_file(folder, error);
        let mut texts = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let language = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            if let Some(language) = language.filter(|_| path.extension().is_some_and(|end| end == "txt")) {
                let text = fs::read_to_string(&path).map_err(|error| Error::of_file(&path, error))?;
                texts.push((language, text));
            }
        }
        texts.sort();
        match texts.len() {
            0 | 1 => {
                let got = format!("{} in {}", texts.len(), folder.display());
                Err(Error::argument("names", "the files `Language.txt`", "at least 2", got))
            }
            _ => Ok(Names::of(texts)),
        }
    }

    fn of(texts: Vec<(String, String)>) -> Self {
        let mut names = Vec::new();
        for (number, (_, text)) in (0..).zip(&texts) {
            // Once each, so that none that is held out was learned.
            let once: BTreeSet<&str> = text.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
            names.extend(once.into_iter().map(|name| (name.to_string(), number)));
        }
        Names { languages: texts.into_iter().map(|(language, _)| language).collect(), names }
    }

    /// How many names each language has among some.
    pub fn counts(&self, names: &[(String, i64)]) -> Vec<usize> {
        let of = |language| names.iter().filter(|name| name.1 == language).count();
        (0..).take(self.languages.len()).map(of).collect()
    }
}
