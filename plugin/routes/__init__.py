"""The pages, one stem a screen: parse, call one service, render."""
