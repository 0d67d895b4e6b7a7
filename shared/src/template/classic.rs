//! Classic World Café: open questions that work as they are, and invite to be replaced.

use super::Words;
use crate::workshop::Language;

const ID: &str = "classic";

pub(super) fn words(language: Language) -> Words {
    match language {
        Language::ZhCn => Words {
            id: ID,
            name: "经典世界咖啡",
            description: "四个开放的问题，拿来就能用，也可以换成你们自己最想聊的话题。",
            title: "世界咖啡：聊聊我们真正在意的事",
            purpose: "把不同岗位、不同立场的人请到一张桌上，听见彼此，再一起找到下一步。",
            tables: &[
                ("值得珍惜的", "我们和业主之间，有哪些已经做得很好、无论如何都想留住的东西？"),
                ("正在变化的", "业主的生活和期待正在发生哪些变化，这些变化在向我们要求什么？"),
                ("绕不过去的", "有哪件事大家心里都清楚，却一直没有好好坐下来谈过？"),
                ("想要实现的", "一年以后再坐到这里，我们最希望能指着哪件事说“这是我们一起做成的”？"),
            ],
            rounds: &[
                "这个问题让你想起了哪一次亲身经历？",
                "把前面几组留下的想法连起来看，底下藏着什么共同的东西？",
                "如果只能先迈出一步，哪一步最小、又最能带动其他的改变？",
            ],
            feelings: false,
        },
        Language::En => Words {
            id: ID,
            name: "Classic World Café",
            description: "Four open questions that work as they are, or give way to whatever you most want to talk about.",
            title: "World Café: what matters to us",
            purpose: "To bring people of different roles and views to one table, to hear each other, and to find the next step together.",
            tables: &[
                (
                    "Worth keeping",
                    "Between us and the owners, what already works so well that we want to keep it whatever happens?",
                ),
                ("Changing", "How are the lives and expectations of owners changing, and what does that ask of us?"),
                ("Left unsaid", "What do we all know about, and yet have never properly sat down to discuss?"),
                (
                    "Within reach",
                    "When we sit here again in a year, what would we most like to point to and say \"we did that together\"?",
                ),
            ],
            rounds: &[
                "Which experience of your own does this question bring back?",
                "When you connect the ideas that earlier groups left here, what do they have in common underneath?",
                "If we could take only one step first, which is the smallest that would set the others in motion?",
            ],
            feelings: false,
        },
    }
}
