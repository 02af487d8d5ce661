"""Fits the estimator of effects that relevance rests on: python -m training.effects.fit --help"""
