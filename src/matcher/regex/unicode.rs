//! What does `\p{Name}` stand for? The names that Go knows.
//!
//! Until Go 1.24 a name had to be written exactly as Unicode writes it and only
//! the short names of categories were known; since Go 1.25 the long names are
//! known too, and case, blanks, `-` and `_` do not count.

use std::fmt::Write as _;

/// A set of characters that Unicode names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UnicodeSet {
    /// `\p{Any}`
    Any,
    /// `\p{ASCII}`
    Ascii,
    /// `\p{Assigned}`
    Assigned,
    /// `\p{Cs}`: no text contains any.
    Surrogate,
    /// A general category, by its short name.
    Category(&'static str),
    /// A script.
    Script(&'static str),
    /// A script younger than the tables of the Rust crate, by its blocks.
    YoungScript(&'static str),
}

impl UnicodeSet {
    /// What Go understands by `name`, and whether Go before 1.25 understood it.
    pub(super) fn named(name: &str) -> Option<(Self, bool)> {
        let is = |known: &str| canonical(known).eq(canonical(name));
        if is("Any") {
            return Some((Self::Any, name == "Any"));
        }
        if is("ASCII") {
            return Some((Self::Ascii, false));
        }
        if is("Assigned") {
            return Some((Self::Assigned, false));
        }
        if is("Cs") || is("Surrogate") {
            return Some((Self::Surrogate, name == "Cs"));
        }
        if let Some((short, _)) = CATEGORIES
            .iter()
            .find(|(short, long)| is(short) || long.iter().any(|long| is(long)))
        {
            let old = name == *short && !matches!(*short, "Cn" | "LC");
            return Some((Self::Category(short), old));
        }
        if let Some(script) = SCRIPTS.split_whitespace().find(|script| is(script)) {
            return Some((Self::Script(script), name == script));
        }
        YOUNG_SCRIPTS
            .iter()
            .find(|(script, _)| is(script))
            .map(|(_, blocks)| (Self::YoungScript(blocks), false))
    }

    /// Writes an item for the inside of a Rust bracket expression.
    pub(super) fn write(self, negated: bool, items: &mut String) {
        let (p, caret) = if negated { ("P", "^") } else { ("p", "") };
        // Writing to a `String` cannot fail.
        let _ = match self {
            Self::Any if negated => Ok(()),
            Self::Surrogate if !negated => Ok(()),
            Self::Any | Self::Surrogate => write!(items, r"\x{{0}}-\x{{10FFFF}}"),
            Self::Ascii => write!(items, r"[{caret}\x00-\x7F]"),
            Self::Assigned => write!(items, r"\{p}{{Assigned}}"),
            Self::Category(name) => write!(items, r"\{p}{{gc={name}}}"),
            Self::Script(name) => write!(items, r"\{p}{{sc={name}}}"),
            Self::YoungScript(blocks) => write!(items, "[{caret}{blocks}]"),
        };
    }
}

/// Go's loose comparison: without case, blanks, `-` and `_`.
fn canonical(name: &str) -> impl Iterator<Item = u8> {
    name.bytes()
        .filter(|byte| !matches!(byte, b'_' | b'-' | b' '))
        .map(|byte| byte.to_ascii_lowercase())
}

/// Short and long names, from Unicode's `PropertyValueAliases.txt`.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("C", &["Other"]),
    ("Cc", &["Control", "cntrl"]),
    ("Cf", &["Format"]),
    ("Cn", &["Unassigned"]),
    ("Co", &["Private_Use"]),
    ("L", &["Letter"]),
    ("LC", &["Cased_Letter"]),
    ("Ll", &["Lowercase_Letter"]),
    ("Lm", &["Modifier_Letter"]),
    ("Lo", &["Other_Letter"]),
    ("Lt", &["Titlecase_Letter"]),
    ("Lu", &["Uppercase_Letter"]),
    ("M", &["Mark", "Combining_Mark"]),
    ("Mc", &["Spacing_Mark"]),
    ("Me", &["Enclosing_Mark"]),
    ("Mn", &["Nonspacing_Mark"]),
    ("N", &["Number"]),
    ("Nd", &["Decimal_Number", "digit"]),
    ("Nl", &["Letter_Number"]),
    ("No", &["Other_Number"]),
    ("P", &["Punctuation", "punct"]),
    ("Pc", &["Connector_Punctuation"]),
    ("Pd", &["Dash_Punctuation"]),
    ("Pe", &["Close_Punctuation"]),
    ("Pf", &["Final_Punctuation"]),
    ("Pi", &["Initial_Punctuation"]),
    ("Po", &["Other_Punctuation"]),
    ("Ps", &["Open_Punctuation"]),
    ("S", &["Symbol"]),
    ("Sc", &["Currency_Symbol"]),
    ("Sk", &["Modifier_Symbol"]),
    ("Sm", &["Math_Symbol"]),
    ("So", &["Other_Symbol"]),
    ("Z", &["Separator"]),
    ("Zl", &["Line_Separator"]),
    ("Zp", &["Paragraph_Separator"]),
    ("Zs", &["Space_Separator"]),
];

/// Long names only: Go knows no short ones for scripts.
const SCRIPTS: &str = "\
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah \
    Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal \
    Carian Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform \
    Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan \
    Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic \
    Grantha Greek Gujarati Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul \
    Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited \
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi \
    Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi Kirat_Rai Lao Latin \
    Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic \
    Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui \
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar \
    Nabataean Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong \
    Ogham Ol_Chiki Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic \
    Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya \
    Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic \
    Samaritan Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian \
    Sora_Sompeng Soyombo Sundanese Sunuwar Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le \
    Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan Tifinagh \
    Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi \
    Zanabazar_Square";

/// New in Unicode 17.
const YOUNG_SCRIPTS: &[(&str, &str)] = &[
    ("Beria_Erfe", r"\x{16EA0}-\x{16EB8}\x{16EBB}-\x{16ED3}"),
    ("Sidetic", r"\x{10940}-\x{10959}"),
    (
        "Tai_Yo",
        r"\x{1E6C0}-\x{1E6DE}\x{1E6E0}-\x{1E6F5}\x{1E6FE}-\x{1E6FF}",
    ),
    ("Tolong_Siki", r"\x{11DB0}-\x{11DDB}\x{11DE0}-\x{11DE9}"),
];
