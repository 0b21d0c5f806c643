"""The ten milestones on the gallery's timeline: 2013 to 2022, in the order in which they are hung.

Figures are those of the papers; the sentences are for someone who meets the idea for the first time.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Milestone:
    """One idea on the timeline.

    key: what a demo's `milestone` names, and the accent colour in tokens.css (--<key>).
    title: the demo it opens on, or will; name: what the field calls the idea.
    answers: what it answered in what came before; before: the keys of those milestones.
    limitation: what it left open. url: the paper's page. also: further papers.
    """

    key: str
    year: int
    name: str
    title: str
    sentence: str
    paper_title: str
    authors: str
    venue: str
    url: str
    answers: str
    limitation: str
    led_to: str
    before: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    also: tuple[tuple[str, str], ...] = ()      # (title, authors and venue; the paper's page)

    @property
    def accent(self) -> str:
        """The token of its colour in tokens.css, without the dashes."""
        return self.key


def _arxiv(number: str) -> str:
    return f"https://arxiv.org/abs/{number}"


MILESTONES: tuple[Milestone, ...] = (
    Milestone(
        key="vae", year=2013, name="VAE", title="Latent-space explorer",
        sentence="A network draws a map of its pictures, and every point of the map can be turned back into one.",
        paper_title="Auto-Encoding Variational Bayes", authors="Diederik P. Kingma, Max Welling", venue="ICLR 2014",
        url=_arxiv("1312.6114"),
        answers="Before it, models with hidden causes were trained by slow sampling. "
                 "One trick, z = mu + sigma · eps, lets plain backpropagation do it.",
        limitation="Its samples are blurry, and some of the map's directions can fall asleep.",
        led_to="Latent diffusion still paints inside a space like this one.",
        tags=("latent space", "autoencoder", "ELBO", "KL divergence", "reparameterisation", "digits", "emoji"),
    ),
    Milestone(
        key="gan", year=2014, name="GAN", title="GAN trainer",
        sentence="A forger and a detective train each other until the forgeries pass.",
        paper_title="Generative Adversarial Nets", authors="Ian Goodfellow and others", venue="NeurIPS 2014",
        url=_arxiv("1406.2661"),
        answers="A VAE averages over what it is unsure of and blurs; a judge that has to be fooled does not accept blur.",
        limitation="Training can tip over, and the forger may learn to make only a few things well: mode collapse.",
        led_to="DCGAN, Wasserstein GAN, CycleGAN and the faces of StyleGAN.",
        before=("vae",), tags=("mode collapse", "discriminator", "generator", "adversarial", "training"),
    ),
    Milestone(
        key="seq", year=2014, name="Seq2Seq", title="A sentence in one vector",
        sentence="One network reads a sentence into a single list of numbers, another writes a sentence from it.",
        paper_title="Sequence to Sequence Learning with Neural Networks", authors="Ilya Sutskever, Oriol Vinyals, Quoc V. Le",
        venue="NeurIPS 2014", url=_arxiv("1409.3215"),
        answers="Networks of the time wanted inputs and outputs of fixed size; this one turns any sequence into any other.",
        limitation="Everything has to squeeze through one vector, and long sentences do not fit.",
        led_to="Attention: let the writer look back at every word.",
        tags=("LSTM", "translation", "encoder", "decoder", "bottleneck"),
    ),
    Milestone(
        key="attn", year=2017, name="Transformer", title="Attention heatmap",
        sentence="Every word looks at every other word and takes from each what it needs.",
        paper_title="Attention Is All You Need", authors="Ashish Vaswani and others", venue="NeurIPS 2017",
        url=_arxiv("1706.03762"),
        answers="No single vector to squeeze through, and no reading one word after the other: all positions at once.",
        limitation="Twice the text costs four times the attention.",
        led_to="Nearly every language model since, BERT and GPT first.",
        before=("seq",), tags=("attention", "heads", "softmax", "query", "key", "value"),
    ),
    Milestone(
        key="bert", year=2018, name="BERT", title="Fill in the blank",
        sentence="Hide some words, guess them from both sides, and a reader is made.",
        paper_title="BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding",
        authors="Jacob Devlin and others", venue="NAACL 2019", url=_arxiv("1810.04805"),
        answers="It takes the Transformer's reading half and needs no labels: the text itself is the exercise.",
        limitation="It reads and does not write: there is no next word to ask it for.",
        led_to="RoBERTa, DistilBERT and T5; and masked pictures.",
        before=("attn",), tags=("masked words", "encoder", "fine-tuning", "reading"),
    ),
    Milestone(
        key="gpt2", year=2019, name="GPT-2", title="Temperature slider",
        sentence="Guess the next word, append it, repeat; how daring the guess is, is one number.",
        paper_title="Language Models are Unsupervised Multitask Learners", authors="Alec Radford and others",
        venue="OpenAI report, 2019",
        url="https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
        answers="It takes the Transformer's writing half. The task is no longer built in: the prompt states it.",
        limitation="Fluent is not the same as true, and much depends on the phrasing.",
        led_to="Prompting, and the question of what more size would bring.",
        before=("attn", "bert"), tags=("temperature", "sampling", "top-k", "top-p", "next token", "logits"),
    ),
    Milestone(
        key="ddpm", year=2020, name="DDPM", title="Diffusion stepper",
        sentence="Learn to take a little noise away, then start from nothing but noise.",
        paper_title="Denoising Diffusion Probabilistic Models", authors="Jonathan Ho, Ajay Jain, Pieter Abbeel",
        venue="NeurIPS 2020", url=_arxiv("2006.11239"),
        answers="Sharper than a VAE and steadier than a GAN: one squared error to minimise, no opponent.",
        limitation="A picture takes many steps: 1000 in the paper, later a few dozen, by now a handful.",
        led_to="Guidance, latent diffusion, pictures from text.",
        before=("vae", "gan"), tags=("noise", "denoising", "steps", "guidance", "pictures"),
    ),
    Milestone(
        key="gpt3", year=2020, name="GPT-3", title="Examples in the prompt",
        sentence="Large enough, a model picks a task up from a few examples in its prompt, with nothing retrained.",
        paper_title="Language Models are Few-Shot Learners", authors="Tom B. Brown and others", venue="NeurIPS 2020",
        url=_arxiv("2005.14165"),
        answers="GPT-2 could be asked for a task but seldom did it well; a hundred times the size and a few examples help.",
        limitation="It makes things up, repeats the biases of its text and has nothing to check itself against.",
        led_to="Scale as a lever, and models behind an address rather than on a disk.",
        before=("gpt2",), tags=("few-shot", "in-context learning", "scale", "prompt"),
    ),
    Milestone(
        key="clip", year=2021, name="CLIP + DALL·E", title="Words and pictures",
        sentence="Pull each picture towards its caption, and language becomes a handle on pictures.",
        paper_title="Learning Transferable Visual Models From Natural Language Supervision",
        authors="Alec Radford and others", venue="ICML 2021", url=_arxiv("2103.00020"),
        answers="Picture models knew the classes they were trained on; here any sentence can name what one looks for.",
        limitation="Counting, and who stands left of whom, remain hard.",
        led_to="Every picture made from a sentence since.",
        before=("attn", "gpt3"), tags=("text to image", "captions", "contrastive", "zero-shot"),
        also=(("Zero-Shot Text-to-Image Generation, Aditya Ramesh and others, ICML 2021", _arxiv("2102.12092")),),
    ),
    Milestone(
        key="rlhf", year=2022, name="InstructGPT", title="Preference ranker",
        sentence="People say which answer they like better, and the model is trained towards it.",
        paper_title="Training language models to follow instructions with human feedback", authors="Long Ouyang and others",
        venue="NeurIPS 2022", url=_arxiv("2203.02155"),
        answers="GPT-3 was able but not obliging. Raters preferred a model of 1.3 billion parameters taught this way "
                 "to GPT-3 with 175 billion.",
        limitation="Preferences differ from person to person, and a model can learn to please instead of to help.",
        led_to="ChatGPT; training on preferences without a reward model (DPO); a written constitution in place of raters.",
        before=("gpt3",), tags=("reward model", "PPO", "DPO", "ranking", "human feedback", "alignment"),
    ),
)


def by_key(key: str) -> Milestone | None:
    """The milestone of that key, or None."""
    return next((milestone for milestone in MILESTONES if milestone.key == key), None)
