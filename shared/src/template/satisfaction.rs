//! Improving owner satisfaction: one table for each of the five RATER dimensions.

use super::Words;
use crate::workshop::Language;

const ID: &str = "satisfaction";

pub(super) fn words(language: Language) -> Words {
    match language {
        Language::ZhCn => Words {
            id: ID,
            name: "业主满意度提升",
            description: "从可靠、专业、环境、关怀、响应五个维度看服务质量，适合满意度调查之后一起找差距、定改进。",
            title: "业主满意度提升工作坊",
            purpose: "分数只告诉我们哪里低，业主的故事才告诉我们为什么。今天从五个方面把差距找准，再挑出最值得先动手的几件事。",
            tables: &[
                ("可靠：说到做到", "我们答应过业主的哪些事，常常没能按时、按样做到？"),
                ("专业：让人放心", "业主在什么时候会怀疑我们懂不懂行，又是什么让他重新放下心来？"),
                (
                    "环境：看得见的品质",
                    "从小区大门走到自家门口，业主一路上看到的、听到的、闻到的，哪些在给我们加分，哪些在扣分？",
                ),
                ("关怀：被放在心上", "哪些时候业主会觉得我们认得他、记得他，替他想到了前面？"),
                ("响应：随叫随到", "业主开口求助之后，等多久、等的时候知道些什么，心里才会踏实？"),
            ],
            rounds: &[
                "在这个方面，业主最近亲身经历了什么，他会怎么跟家里人说起？",
                "期待和现实之间的差距是从哪里来的：流程、人手、规矩，还是我们没有听懂业主的话？",
                "接着大家写下的往下想，接下来九十天里改变哪一件事，业主马上就能感觉到？",
            ],
            feelings: false,
        },
        Language::En => Words {
            id: ID,
            name: "Improving owner satisfaction",
            description: "Look at service quality through reliability, assurance, tangibles, empathy and responsiveness; good after a survey, to find out what lies behind the scores.",
            title: "Improving owner satisfaction",
            purpose: "Scores tell us where we are weak; only the owners' stories tell us why. Today we look from five sides and choose what is worth doing first.",
            tables: &[
                (
                    "Reliability: keeping our word",
                    "Which of the things we promise owners do we often not do on time, or not quite as promised?",
                ),
                (
                    "Assurance: in good hands",
                    "When do owners start to doubt that we know our trade, and what gives them their confidence back?",
                ),
                (
                    "Tangibles: what one can see",
                    "On the way from the gate to their own door, what do owners see, hear and smell that speaks for us, and what speaks against us?",
                ),
                (
                    "Empathy: being thought of",
                    "When do owners feel that we know them, remember them and have thought ahead for them?",
                ),
                (
                    "Responsiveness: help in time",
                    "Once an owner has asked for help, how long may it take, and what do they need to know meanwhile to feel at ease?",
                ),
            ],
            rounds: &[
                "What have owners lived through here lately, and how would they tell it at home?",
                "Where does the gap between hope and reality come from: process, staffing, rules, or not having understood the owner?",
                "Building on what is written here, which one change in the next ninety days would owners notice at once?",
            ],
            feelings: false,
        },
    }
}
