//! Built-in café templates. Each is written in Chinese and in English by hand, not translated word by word.
//!
//! One template a file; every question is open, concrete and one sentence, so that it can be read out once and understood.

use serde::{Deserialize, Serialize};

use crate::workshop::{Draft, Language, RoundPlan, Settings, TablePlan};

mod classic;
mod moments_of_truth;
mod owner_journey;
mod satisfaction;

/// A template in one language, ready to become a café.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Template {
    /// Stable: `owner-journey`, `moments-of-truth`, `satisfaction`, `classic`.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// One sentence: when to take it.
    pub description: String,
    /// The café it makes.
    pub draft: Draft,
}

/// All templates in one language, in the order in which they are offered.
pub fn all(language: Language) -> Vec<Template> {
    [
        owner_journey::words(language),
        moments_of_truth::words(language),
        satisfaction::words(language),
        classic::words(language),
    ]
    .into_iter()
    .map(|words| words.template(language))
    .collect()
}

/// The template with this id, in one language.
pub fn find(id: &str, language: Language) -> Option<Template> {
    all(language).into_iter().find(|t| t.id == id)
}

/// Minutes of each round: long enough for a table of five to hear everybody once and build on it.
const ROUND_MINUTES: f64 = 20.0;

/// What one template says in one language.
struct Words {
    id: &'static str,
    name: &'static str,
    description: &'static str,
    title: &'static str,
    purpose: &'static str,
    /// Topic and question.
    tables: &'static [(&'static str, &'static str)],
    /// The question of each round.
    rounds: &'static [&'static str],
    /// Whether its tables are stages of a journey, and people are asked how each feels.
    feelings: bool,
}

impl Words {
    fn template(&self, language: Language) -> Template {
        let tables = self
            .tables
            .iter()
            .map(|(topic, question)| TablePlan { topic: (*topic).to_owned(), question: (*question).to_owned() });
        let rounds = self
            .rounds
            .iter()
            .map(|question| RoundPlan { minutes: ROUND_MINUTES, question: Some((*question).to_owned()) });
        Template {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            description: self.description.to_owned(),
            draft: Draft {
                title: self.title.to_owned(),
                purpose: self.purpose.to_owned(),
                language,
                tables: tables.collect(),
                rounds: rounds.collect(),
                settings: Settings { feelings: self.feelings, ..Settings::default() },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_draft_that_can_be_opened_as_it_is() {
        for language in [Language::ZhCn, Language::En] {
            for template in all(language) {
                let checked = template.draft.clone().checked();
                assert_eq!(checked, Ok(template.draft.clone()), "{}", template.id);
                assert_eq!(template.draft.language, language);
                assert!(!template.name.is_empty() && !template.description.is_empty());
                assert!(template.draft.tables.iter().all(|t| !t.question.is_empty()));
                assert_eq!(template.draft.rounds.len(), 3);
            }
        }
    }

    #[test]
    fn both_languages_have_the_same_templates_with_the_same_shape() {
        let shape = |language| -> Vec<(String, usize)> {
            let templates = all(language).into_iter();
            templates.map(|t| (t.id, t.draft.tables.len())).collect()
        };
        assert_eq!(shape(Language::ZhCn), shape(Language::En));
        let ids: Vec<_> = shape(Language::En).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["owner-journey", "moments-of-truth", "satisfaction", "classic"]);
    }

    #[test]
    fn questions_are_one_sentence_and_ask_something() {
        for language in [Language::ZhCn, Language::En] {
            let mark = if language == Language::ZhCn { '？' } else { '?' };
            for template in all(language) {
                let tables = template.draft.tables.iter().map(|t| t.question.clone());
                let rounds = template.draft.rounds.iter().filter_map(|r| r.question.clone());
                for question in tables.chain(rounds) {
                    assert!(question.ends_with(mark), "{question}");
                    assert_eq!(question.matches(mark).count(), 1, "{question}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_template_is_none() {
        assert_eq!(find("no-such", Language::En), None);
        assert_eq!(find("classic", Language::ZhCn).map(|t| t.id).as_deref(), Some("classic"));
    }
}
