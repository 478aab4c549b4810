//! The walks: the base alone, with each feature, and with every two features.

use crate::rules::{Feature, Rules};

/// Two messages out and two in.
const BASES: [&str; 6] = ["12/21", "21/12", "11/22", "22/11", "12/12", "22/22"];

/// Mixes for what would have too many states with four messages.
const TWO: [&str; 2] = ["1/2", "2/1"];

/// Mixes for pairs whose features each add many states.
const ONE: [&str; 2] = ["2/", "/2"];

/// These add requests of their own, or moments at which anything can happen.
const HEAVY: [Feature; 5] =
    [Feature::Restart, Feature::Time, Feature::Subscribe, Feature::Stream, Feature::Pieces];

/// With only these, four messages make fewer than about ten million states.
const LIGHT: [Feature; 12] = [
    Feature::Loss,
    Feature::Drop,
    Feature::AtPubrel,
    Feature::Order,
    Feature::Late,
    Feature::Manual,
    Feature::GiveUp,
    Feature::Mqtt31,
    Feature::Tight,
    Feature::OutputLost,
    Feature::Clean,
    Feature::Mixed,
];

/// Every pair of features, except those with the same effect, and one that cannot hold.
pub fn pairs() -> Vec<[Feature; 2]> {
    let mut pairs = Vec::new();
    for (at, &one) in Feature::ALL.iter().enumerate() {
        for &other in &Feature::ALL[at + 1..] {
            let excluded = [
                (Feature::Loss, Feature::Drop),
                (Feature::Time, Feature::Retry),
                (Feature::Restart, Feature::Saves),
                (Feature::Clean, Feature::Mixed),
                // A clean session ends before it can be lost.
                (Feature::Loss, Feature::Clean),
                (Feature::Drop, Feature::Clean),
                // A server that did not hear of the clean session keeps identifiers that the application asks for again.
                (Feature::Ids, Feature::Mixed),
            ];
            if !excluded.contains(&(one, other)) {
                pairs.push([one, other]);
            }
        }
    }
    pairs
}

fn is_light(features: &[Feature]) -> bool {
    features.iter().all(|feature| LIGHT.contains(feature))
}

fn is_quick(features: &[Feature]) -> bool {
    features.iter().all(|feature| is_light(&[*feature]) || matches!(feature, Feature::Retry | Feature::Ids))
}

/// The walks that take a minute: bases, and every feature and pair with few states.
pub fn short() -> Vec<Rules> {
    let mut walks = vec![Rules::new("12/21", &[]), Rules::new("22/", &[]), Rules::new("/12", &[])];
    for mix in ["1/2", "22/"] {
        let few = Feature::ALL.iter().filter(|feature| **feature != Feature::Saves);
        walks.extend(few.map(|feature| Rules::new(mix, &[*feature])));
    }
    walks.extend(["1/", "2/", "/2"].map(|mix| Rules::new(mix, &[Feature::Saves])));
    walks.extend(pairs().iter().filter(|pair| is_quick(&pair[..])).map(|pair| Rules::new("2/1", pair)));
    for session in [Feature::Clean, Feature::Mixed] {
        for mix in ONE {
            walks.extend(HEAVY.map(|feature| Rules::new(mix, &[feature, session])));
        }
    }
    // In MQTT 3.1, an image says whether its session was clean, or nobody does.
    walks.push(Rules::new("2/", &[Feature::Restart, Feature::Mqtt31, Feature::Mixed]));
    walks.push(Rules::new("/2", &[Feature::Restart, Feature::Mqtt31, Feature::Mixed]));
    // Pairs that have found a fault.
    walks.push(Rules::new("1/2", &[Feature::Late, Feature::Subscribe]));
    walks.push(Rules::new("1/2", &[Feature::Stream, Feature::Finish]));
    walks.push(Rules::new("1/2", &[Feature::GiveUp, Feature::Retry]));
    walks.push(Rules::new("1/", &[Feature::Time, Feature::Finish]));
    walks.push(Rules::new("2/2", &[Feature::Restart, Feature::GiveUp]));
    walks.push(Rules::new("2/", &[Feature::Saves, Feature::GiveUp]));
    // QoS 0, which may overtake what waits for an image.
    walks.push(Rules::new("20/", &[Feature::Late]));
    walks.push(Rules::new("20/", &[Feature::Restart, Feature::GiveUp]));
    walks.push(Rules::new("0/", &[Feature::Stream]));
    walks
}

/// Each feature and each pair with as many messages as possible.
pub fn all() -> Vec<Rules> {
    let mut walks: Vec<Rules> = BASES.iter().map(|mix| Rules::new(mix, &[])).collect();
    for &feature in Feature::ALL {
        let mixes = match feature {
            // Four messages would have too many states.
            Feature::Saves => &["1/2", "2/1", "22/"][..],
            Feature::Restart | Feature::Time => &["12/2", "2/12", "12/21"],
            _ if HEAVY.contains(&feature) || feature == Feature::Retry => &["12/21"],
            _ => &["12/21", "22/12"],
        };
        walks.extend(mixes.iter().map(|mix| Rules::new(mix, &[feature])));
    }
    for pair in pairs() {
        let is_heavy = pair.iter().all(|feature| HEAVY.contains(feature)) || pair.contains(&Feature::Saves);
        let mixes = if is_heavy { ONE } else { TWO };
        walks.extend(mixes.iter().map(|mix| Rules::new(mix, &pair)));
    }
    walks.extend(pairs().iter().filter(|pair| is_light(&pair[..])).map(|pair| Rules::new("12/21", pair)));
    walks
}
