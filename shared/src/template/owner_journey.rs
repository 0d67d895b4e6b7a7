//! Owner service journey: the tables are stages in the order in which owners live through them, the rounds go deeper.

use super::Words;
use crate::workshop::Language;

const ID: &str = "owner-journey";

pub(super) fn words(language: Language) -> Words {
    match language {
        Language::ZhCn => Words {
            id: ID,
            name: "业主服务旅程",
            description: "陪业主把从看房到日常居住的路重走一遍，一段一段找出触点、痛点和机会点。",
            title: "业主服务旅程共创",
            purpose: "和业主一起把这段路重走一遍：看清哪里让人安心，哪里让人着急，再把改进落到一个个具体的触点上。",
            tables: &[
                ("初次接触与签约", "从第一次走进案场到签字的那一刻，业主看到了什么、听到了什么，心里还惦记着什么？"),
                (
                    "交房与入住",
                    "从收到交房通知到在新家住满一个月，业主要操哪些心、跑哪些腿，什么时候最需要我们在身边？",
                ),
                ("报修与投诉", "从发现问题到问题真正解决，业主要经历哪些等待、追问和解释？"),
                ("社区生活与日常相处", "没什么事要办的平常日子里，业主在哪些地方感觉得到我们一直都在？"),
            ],
            rounds: &[
                "在这一段旅程里，真实发生过哪些事，业主当时心里是什么滋味？",
                "最让人难受的是哪一个触点，它为什么到今天还是这样？",
                "接着前面几组写下的往下想，怎样做才能让业主过了很久还记得，还愿意讲给邻居听？",
            ],
            feelings: true,
        },
        Language::En => Words {
            id: ID,
            name: "Owner service journey",
            description: "Walk the owners' way again, from the first visit to daily life, and find its touchpoints, pain points and opportunities stage by stage.",
            title: "Designing the owner's journey together",
            purpose: "Together with owners we walk the whole way once more: to see where it reassures and where it hurts, and to tie every improvement to a touchpoint one can name.",
            tables: &[
                (
                    "First contact and signing",
                    "From the first visit to the sales office to the moment of signing, what do owners see and hear, and what are they still wondering about?",
                ),
                (
                    "Handover and moving in",
                    "From the handover notice to the end of the first month at home, what do owners have to chase themselves, and when would they most like us at their side?",
                ),
                (
                    "Repair and complaint",
                    "From noticing a problem until it is truly solved, how much waiting, asking again and explaining does an owner go through?",
                ),
                (
                    "Community and daily life",
                    "On an ordinary day, when nothing needs doing, where can owners feel that we are there?",
                ),
            ],
            rounds: &[
                "What really happens at this stage, and how does it feel to the owner at that moment?",
                "Which touchpoint hurts most, and why is it still like that today?",
                "Building on what earlier groups left here, what would make this stage so good that owners tell their neighbours about it?",
            ],
            feelings: true,
        },
    }
}
