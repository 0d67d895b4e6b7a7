//! Designing moments of truth: the peak and the end are remembered, the everyday must not fall below a line, and recovery
//! decides whether trust comes back.

use super::Words;
use crate::workshop::Language;

const ID: &str = "moments-of-truth";

pub(super) fn words(language: Language) -> Words {
    match language {
        Language::ZhCn => Words {
            id: ID,
            name: "关键时刻设计",
            description: "用峰终定律设计四种关键时刻：高峰、收尾、日常和补救，适合服务已经稳定、想让业主真正记住的团队。",
            title: "关键时刻（MOT）设计工作坊",
            purpose: "业主记住的从来不是平均分，而是最好的那一刻、最后的那一刻，还有出了错之后我们怎么做。今天把这些时刻一个一个设计出来。",
            tables: &[
                ("高峰时刻", "和我们打交道的过程中，哪一刻最有可能让业主心里一动，觉得“原来物业还可以这样”？"),
                ("收尾时刻", "一次维修做完、一场活动散场、一户人家搬走，最后那几分钟里业主会带走什么样的感受？"),
                ("日常时刻", "门岗、大堂、电梯、缴费，这些天天都有的接触里，哪些感受是一次也不能掉到底线以下的？"),
                ("补救时刻", "当我们把事情办砸了，业主在头一个小时里最希望看到什么、听到什么？"),
            ],
            rounds: &[
                "这一刻今天是什么样子，业主原本期待的又是什么样子？",
                "在这一刻之前、当中和之后，我们分别可以主动多做些什么？",
                "接着前面几组的想法往下走，怎样把它变成一个超出期待、而且每次都做得到的时刻？",
            ],
            feelings: true,
        },
        Language::En => Words {
            id: ID,
            name: "Designing moments of truth",
            description: "Design four kinds of moments by the peak-end rule: the peak, the end, the everyday and the recovery; for teams whose service is steady and should now be remembered.",
            title: "Designing moments of truth",
            purpose: "Owners do not remember an average. They remember the best moment, the last one, and what we did when something went wrong. Today we design those moments one by one.",
            tables: &[
                (
                    "The peak",
                    "In all their dealings with us, which moment is most likely to make an owner think \"I did not know it could be like this\"?",
                ),
                (
                    "The end",
                    "When a repair is finished, an event is over or a family moves out, what feeling do owners take away from the last few minutes?",
                ),
                (
                    "The everyday",
                    "At the gate, in the lobby, in the lift or when paying a bill, which feeling must never, not even once, fall below the line?",
                ),
                (
                    "The recovery",
                    "When we have got something badly wrong, what do owners most want to see and hear within the first hour?",
                ),
            ],
            rounds: &[
                "What is this moment like today, and what had the owner been hoping for?",
                "Before, during and after this moment, what could we do without waiting to be asked?",
                "Building on the ideas already here, how does this become a moment beyond expectation that we can deliver every single time?",
            ],
            feelings: true,
        },
    }
}
