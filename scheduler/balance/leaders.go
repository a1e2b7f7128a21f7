package balance

// evenLeaders makes other replicas the preferred leaders where a broker has more than its part
// of them. No data moves.
func (s *spread) evenLeaders() {
	takers, all := 0, 0
	for i := range s.Brokers {
		if s.takes(int32(i)) {
			takers++
			all += s.leaders[i]
		}
	}
	if takers == 0 {
		return
	}
	part := float64(all) / float64(takers)
	most := max(int(part*(1+s.tolerance)), int(part)+1)
	least := int(part * (1 - s.tolerance))
	for p, at := range s.at {
		if len(at) > 0 && at[0] >= 0 && s.takes(at[0]) {
			s.passOn(int32(p), most, least, part)
		}
	}
}

// passOn makes the replica on the broker with the fewest leaders the preferred one, if its present
// broker has too many, or if that one has too few and the present one can spare it.
func (s *spread) passOn(p int32, most, least int, part float64) {
	at := s.at[p]
	best := 0
	for slot, b := range at {
		if b >= 0 && s.takes(b) && s.leaders[b] < s.leaders[at[best]] {
			best = slot
		}
	}
	from, to := s.leaders[at[0]], s.leaders[at[best]]
	much := from > most && float64(to) < part
	few := to < least && float64(from) > part
	if best == 0 || !much && !few {
		return
	}
	s.leaders[at[0]]--
	s.leaders[at[best]]++
	at[0], at[best] = at[best], at[0]
}
