"""Language models (GPT-2): a distribution over the next token, drawn from again and again."""
