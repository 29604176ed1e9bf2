//! What a judged window means, and what a breach brings about.

use super::super::{AlertBody, words};
use super::{Effect, Judgement, Monitor, Outcome, Scene, State, WatchVerdict, Window, millis};
use mlp_core::record::Millis;
use mlp_lang::live::Action;

impl Monitor {
    pub(super) fn judge(
        &mut self,
        at: Millis,
        window: Window,
        watches: &[WatchVerdict],
        scene: &Scene,
        news: &mut Vec<String>,
    ) -> Vec<Effect> {
        let counts: Vec<Option<bool>> = watches.iter().map(|it| it.counts(self.node.on_no_data)).collect();
        let outcome = if counts.contains(&Some(false)) {
            Outcome::Breached
        } else if counts.contains(&None) {
            Outcome::Silent
        } else {
            Outcome::Well
        };
        let of = |wanted: Option<bool>| -> Vec<String> {
            let chosen = watches.iter().zip(&counts).filter(|(_, counts)| **counts == wanted);
            let watch = |it: &WatchVerdict| self.node.watches.get(it.watch as usize).map(|watch| it.told(watch));
            chosen.filter_map(|(it, _)| watch(it)).collect()
        };
        let (breached, silent) = (of(Some(false)), of(None));
        let before =
            self.last.replace(Judgement { window, version: scene.version, outcome, watches: watches.to_vec() });
        match outcome {
            Outcome::Silent => {
                if before.is_none_or(|before| before.outcome != Outcome::Silent) {
                    news.push(format!("neither breach nor recovery: {}", silent.join("; ")));
                }
                Vec::new()
            }
            Outcome::Well => {
                if self.state == State::Breached {
                    let breaches = words::counted(self.streak, "breach", "breaches");
                    news.push(format!("well again after {breaches}"));
                }
                self.state = State::Well;
                self.end_episode();
                Vec::new()
            }
            Outcome::Breached => {
                self.state = State::Breached;
                self.streak = self.streak.saturating_add(1);
                news.push(format!("{}: {}", self.breach(), breached.join("; ")));
                self.act(at, window, &breached, scene, news)
            }
        }
    }

    /// `breach 1 of 2`
    fn breach(&self) -> String {
        let ahead = self.node.breaches.iter().map(|it| it.windows).filter(|windows| *windows >= self.streak).min();
        match ahead {
            Some(windows) => format!("breach {} of {windows}", self.streak),
            None => format!("breach {}", self.streak),
        }
    }

    /// An alert goes out once in an episode. A retraining or a rollback begins when nothing stands against it: in an
    /// episode that goes on, again after each cooldown.
    fn act(
        &mut self,
        at: Millis,
        window: Window,
        breached: &[String],
        scene: &Scene,
        news: &mut Vec<String>,
    ) -> Vec<Effect> {
        let node = self.node.clone();
        let (mut effects, mut index) = (Vec::new(), 0_u32);
        let cold = self.acted.is_none_or(|acted| at.saturating_sub(acted) >= millis(node.cooldown));
        for (block, on) in node.breaches.iter().enumerate() {
            for (place, action) in on.actions.iter().enumerate() {
                let (number, due) = (index, self.streak >= on.windows);
                index += 1;
                if !due {
                    continue;
                }
                let first = !self.fired.contains(&(block, place));
                let in_the_way = match action {
                    Action::Alert { .. } if first => None,
                    Action::Alert { .. } => continue,
                    _ if scene.rolling => Some("a rollout is under way"),
                    _ if !cold => Some("the last retraining or rollback is too recent"),
                    Action::Retrain { .. } if scene.running => Some("a run is under way or waiting"),
                    Action::Rollback if !scene.can_return => Some("no version was stable before"),
                    Action::Retrain { .. } if effects.iter().any(|it| matches!(it, Effect::Retrain { .. })) => continue,
                    Action::Rollback if effects.contains(&Effect::Rollback) => continue,
                    Action::Retrain { .. } | Action::Rollback => None,
                };
                if let Some(why) = in_the_way {
                    let told = (block, place, why);
                    if first && !self.against.contains(&told) {
                        self.against.push(told);
                        let action = if matches!(action, Action::Rollback) { "rollback" } else { "retrain" };
                        news.push(format!("{action} waits: {why}"));
                    }
                    continue;
                }
                if first {
                    self.fired.push((block, place));
                }
                let effect = self.effect(action, number, window, breached, scene);
                if !matches!(effect, Effect::Alert { .. }) {
                    self.acted = Some(at);
                }
                effects.push(effect);
            }
        }
        effects
    }

    fn effect(&self, action: &Action, index: u32, window: Window, breached: &[String], scene: &Scene) -> Effect {
        match action {
            Action::Alert { channel, to } => {
                let body = AlertBody {
                    key: format!("{}/{}/{index}", self.name, window.to),
                    monitor: self.name.clone(),
                    deployment: self.node.deployment_name.clone(),
                    model: scene.model.clone(),
                    version: scene.version,
                    window,
                    breaches: self.streak,
                    breached: breached.to_vec(),
                };
                Effect::Alert { channel: *channel, to: to.clone(), body }
            }
            Action::Retrain { params } => Effect::Retrain {
                key: format!("retrain/{}/{}", self.name, window.to),
                params: params.clone(),
                words: format!("`{}` is breached: {}", self.name, breached.join("; ")),
            },
            Action::Rollback => Effect::Rollback,
        }
    }
}
