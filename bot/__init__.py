"""Handover: why did the voicebot's handover to NICE CXone fail?"""
