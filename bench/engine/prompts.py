"""Twenty prompts, as different as one page allows."""

PROMPTS = (
    "Tell the story of a lighthouse keeper who finds a message in a bottle.",
    "Explain how a transistor works to a curious twelve-year-old.",
    "Write a Python function that merges two sorted lists, and describe it line by line.",
    "List the planets of the solar system with three facts about each.",
    "What were the causes of the French Revolution?",
    "Write a long letter from a sailor to his sister.",
    "Describe the water cycle in detail.",
    "Give me a recipe for vegetable soup and explain every step.",
    "Compare the cat and the dog as companions.",
    "Write a dialogue between a philosopher and a robot about time.",
    "Prove that the square root of two is irrational.",
    "Summarise the plot of a detective novel that you invent now.",
    "How does a bill become a law? Go through all stages.",
    "Schreibe einen Aufsatz über den Wald im Winter.",
    "Écris une histoire courte sur un boulanger à Paris.",
    "Count from one to two hundred in words.",
    "Write a business plan for a small bicycle repair shop.",
    "Explain the difference between TCP and UDP with examples.",
    "Describe an imaginary city under the sea: streets, food, music, law.",
    "What should somebody know before adopting a parrot?",
)
