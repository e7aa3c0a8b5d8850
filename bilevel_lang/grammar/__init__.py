"""The EMP annotation language: text in, syntax tree with places out, and back."""
