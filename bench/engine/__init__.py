"""The whole engine, beside other engines: speed, equality of answers, and what invariance costs."""
