"""The rules of 214/НҚ, pure: who may be told of a measure, until when, the two consents, what two
accounts of one grant differ in, and what of the figures may be shown.
"""
