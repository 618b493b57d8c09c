"""LLM-Net: language models sell answers; a Substrate chain settles them."""
